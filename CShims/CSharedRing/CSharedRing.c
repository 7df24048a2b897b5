// The header is all there is; this file lets the compiler check it as C on its own.
#include "CSharedRing.h"
