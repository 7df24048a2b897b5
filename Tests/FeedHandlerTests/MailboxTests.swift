import Testing

@testable import FeedHandler

@Suite struct MailboxTests {
  private struct Message: Sendable {
    var sender: Int
    var number: Int
  }

  @Test func messagesFromManyThreadsComeOutOnceAndInEachSendersOrder() async {
    let mailbox = Mailbox<Message>()
    let senders = 4
    let each = 5_000
    await withTaskGroup(of: Void.self) { group in
      for sender in 0..<senders {
        group.addTask { for number in 0..<each { mailbox.post(Message(sender: sender, number: number)) } }
      }
      var next = Array(repeating: 0, count: senders)
      var count = 0
      while count < senders * each {
        for message in mailbox.take() {
          #expect(message.number == next[message.sender])
          next[message.sender] += 1
          count += 1
        }
        await Task.yield()
      }
    }
    #expect(mailbox.take().isEmpty)
  }
}
