#include <stdlib.h>
#include <string.h>
int probe(void) { return abs(-1); }
