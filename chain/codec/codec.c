#include "farebox/codec.h"
