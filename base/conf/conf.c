#include "farebox/conf.h"
