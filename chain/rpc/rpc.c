#include "farebox/rpc.h"
