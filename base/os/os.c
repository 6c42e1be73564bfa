#include "farebox/os.h"
