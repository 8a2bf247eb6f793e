/* Which token of a picture a row of a product belongs to. */
#pragma once

#include "divide.cuh"

namespace ivit {

/*
 * Row r belongs to group g = r / length at place p = r % length: token g * stride + offset + p, or
 * table[p] in place of p. So rows may be all tokens of pictures, some leading ones, the patches
 * after them, tokens in window order, or the corners that a merging begins at.
 */
struct RowMap {
  Global<const int32_t> table;
  Divisor divisor; /* of length */
  int32_t length;
  int32_t stride;
  int32_t offset;
  int32_t unused;
};

struct Place {
  int32_t group;
  int32_t inside;
};

IVIT_DEVICE Place place_of(const RowMap &map, int row) {
  int32_t group = (int32_t)divide((uint32_t)row, map.divisor);
  int32_t inside = row - group * map.length;
  return Place{group, map.offset + (present(map.table) ? map.table[inside] : inside)};
}

IVIT_DEVICE int token_of(const RowMap &map, int row) {
  Place place = place_of(map, row);
  return place.group * map.stride + place.inside;
}

}  // namespace ivit
