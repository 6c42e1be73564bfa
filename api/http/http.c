#include "farebox/http.h"
