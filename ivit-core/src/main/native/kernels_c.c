#include "ivit.h"

enum { ROWS = 8 };

static const struct ivit_decoding tables = {
    ivit_pack_tables_dot, ivit_decode_tables_dot, ivit_tile_c, ROWS, 0};
static const struct ivit_decoding groups = {
    ivit_pack_groups_dot, ivit_decode_groups_dot, ivit_tile_c, ROWS, 0};
static const struct ivit_decoding wide_groups = {
    ivit_pack_wide_groups_dot, ivit_decode_wide_groups_dot, ivit_tile_c, ROWS, 0};

const struct ivit_kernels ivit_kernels_c = {
    .name = "c",
    .rows = ROWS,
    .zero = 128,
    .pack = ivit_pack_dot,
    .tables = &tables,
    .groups = &groups,
    .wide_groups = &wide_groups,
    .planes = 1,
    .pack_keys = ivit_pack_keys_dot,
    .pack_values = ivit_pack_values_dot,
    .tile = ivit_tile_c,
    .scores = ivit_tile_c,
    .context = ivit_tile_c,
    .to8 = ivit_to8_c,
    .add16 = ivit_add16_c,
    .turn8 = ivit_turn8_c,
    .gate8 = ivit_gate8_c,
    .gate16 = ivit_gate16_c,
    .norm = ivit_norm_c,
    .norm16 = ivit_norm16_c,
    .bias = ivit_bias_c,
    .softmax = ivit_softmax_c,
    .normalise = ivit_normalise_c,
};
