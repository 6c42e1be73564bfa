#include "farebox/store.h"
