#include "farebox/writer.h"
