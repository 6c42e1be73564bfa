#include "farebox/wire.h"
