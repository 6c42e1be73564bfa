#include "farebox/net.h"
