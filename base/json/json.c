#include "farebox/json.h"
