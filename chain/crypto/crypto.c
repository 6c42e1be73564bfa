#include "farebox/crypto.h"
