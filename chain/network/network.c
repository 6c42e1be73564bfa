#include "farebox/network.h"
