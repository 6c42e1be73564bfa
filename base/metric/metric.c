#include "farebox/metric.h"
