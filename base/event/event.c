#include "farebox/event.h"
