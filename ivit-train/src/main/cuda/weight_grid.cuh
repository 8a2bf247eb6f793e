/* The codes that weights of fewer than 8 bits may have. */
#pragma once

#include "divide.cuh"
#include "reals.cuh"

namespace ivit {

/* With neither table nor multipliers an index less 2^(bits - 1) is the code. */
struct WeightGrid {
  Global<const int8_t> table;        /* ascending, [outputs][2^bits]; or null */
  Global<const uint8_t> multipliers; /* of groups, [outputs][groups]; or null */
  Divisor size;                      /* inputs of a group */
  int32_t groups;
  int32_t bits; /* 0 where there is no grid */
  int32_t shift;
  int32_t unused;
};

/* The codes of a weight, never falling as the index rises. */
struct GridCodes {
  Global<const int8_t> table;
  int32_t multiplier;
  int32_t bits;
  int32_t shift;

  IVIT_DEVICE int32_t operator[](int32_t index) const {
    if (present(table)) {
      return table[index];
    }
    int32_t q = index - (1 << (bits - 1));
    return (q * multiplier + (1 << shift >> 1)) >> shift;
  }

  IVIT_DEVICE int32_t last() const { return (1 << bits) - 1; }
};

IVIT_DEVICE GridCodes codes_of(const WeightGrid &grid, int64_t output, int input) {
  GridCodes codes = {grid.table, 1, grid.bits, grid.shift};
  if (present(grid.table)) {
    codes.table = grid.table + (output << grid.bits);
  } else if (present(grid.multipliers)) {
    codes.multiplier =
        grid.multipliers[output * grid.groups + (int32_t)divide((uint32_t)input, grid.size)];
  }
  return codes;
}

/*
 * The index whose code is nearest to a value; of two that are as near the lower, and the lowest of
 * equal codes. Distances are float64, as on the processor.
 */
IVIT_DEVICE int32_t nearest_index(const GridCodes &codes, double value) {
  int32_t from = 0;
  int32_t to = codes.last();
  while (from < to) {
    int32_t middle = (from + to) >> 1;
    if (codes[middle] < value) {
      from = middle + 1;
    } else {
      to = middle;
    }
  }
  int32_t above = codes[from];
  int32_t index = from > 0 ? from - 1 : 0;
  int32_t below = codes[index];
  if (!(value - below <= above - value) && below != above) {
    return from;
  }
  while (index > 0 && codes[index - 1] == below) {
    index--;
  }
  return index;
}

}  // namespace ivit
