/* The ports are values and inline readers only; this file gives the library its object. */
#include "farebox/port.h"
