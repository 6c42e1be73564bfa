#include "farebox/port.h"
