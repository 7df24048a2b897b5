internal import CTickCodec

/// The processor's instructions by which blocks are read. A processor that lacks some does without; tests hold all of them
/// to the same results.
package enum TickKernels: Sendable, CaseIterable {
  case best
  case avx2
  case portable

  var code: UInt32 {
    switch self {
    case .best: UInt32(tickcodec_kernels_best)
    case .avx2: UInt32(tickcodec_kernels_avx2)
    case .portable: UInt32(tickcodec_kernels_portable)
    }
  }
}
