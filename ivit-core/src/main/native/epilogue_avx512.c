/* What follows a product on AVX-512: requantization, clamp, GELU or residual. */
#include "avx512.h"
#include "requantize_avx512.h"

/* Two rows of 32 accumulators to 64 offset codes, row after row. */
static inline __attribute__((always_inline)) __m512i codes_of(
    const int32_t *first, const int32_t *second, const struct ivit_columns_avx512 *left,
    const struct ivit_columns_avx512 *right, const int prescaled) {
  __m512i a = ivit_requantize_avx512(_mm512_loadu_si512(first), left, prescaled);
  __m512i b = ivit_requantize_avx512(_mm512_loadu_si512(first + 16), right, prescaled);
  __m512i c = ivit_requantize_avx512(_mm512_loadu_si512(second), left, prescaled);
  __m512i d = ivit_requantize_avx512(_mm512_loadu_si512(second + 16), right, prescaled);
  __m512i packed = _mm512_packs_epi16(_mm512_packs_epi32(a, b), _mm512_packs_epi32(c, d));
  /* Packing works by quarters: dword q of group g holds a, b, c, d of that quarter. */
  const __m512i order =
      _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  packed = _mm512_permutexvar_epi32(order, packed);
  return _mm512_xor_si512(packed, _mm512_set1_epi8((char)0x80));
}

static inline __m512i gelu_of(const struct ivit_gelu *gelu, __m512i codes, uint32_t outliers) {
  struct ivit_table_avx512 table = ivit_table_load(gelu->table);
  __m512i values = ivit_table_look_up(&table, codes);
  if (outliers != 0) {
    table = ivit_table_load(gelu->outlier_table);
    __mmask64 both = (uint64_t)outliers << 32 | outliers;
    values = _mm512_mask_mov_epi8(values, both, ivit_table_look_up(&table, codes));
  }
  return values;
}

static inline __attribute__((always_inline)) void to8(
    const int32_t *acc, int rows, const struct ivit_requant *q, const struct ivit_gelu *gelu,
    int column, int n, uint8_t *const *out, const int prescaled) {
  struct ivit_columns_avx512 left = ivit_columns_at_avx512(q, column);
  struct ivit_columns_avx512 right = ivit_columns_at_avx512(q, column + 16);
  uint32_t outliers =
      gelu != NULL && gelu->outliers != NULL ? gelu->outliers[column / IVIT_COLUMNS] : 0;
  __mmask32 store = n >= 32 ? ~(__mmask32)0 : ((__mmask32)1 << n) - 1;
  for (int r = 0; r < rows; r += 2, acc += 2 * IVIT_COLUMNS) {
    int last = r + 1 == rows;
    const int32_t *second = last ? acc : acc + IVIT_COLUMNS;
    __m512i codes = codes_of(acc, second, &left, &right, prescaled);
    if (gelu != NULL) {
      codes = gelu_of(gelu, codes, outliers);
    }
    _mm256_mask_storeu_epi8(out[r] + column, store, _mm512_castsi512_si256(codes));
    if (!last) {
      _mm256_mask_storeu_epi8(out[r + 1] + column, store, _mm512_extracti64x4_epi64(codes, 1));
    }
  }
}

void ivit_to8_avx512(
    const int32_t *acc, int rows, const struct ivit_requant *q, const struct ivit_gelu *gelu,
    int column, int n, uint8_t *const *out) {
  if (q->prescaled) {
    to8(acc, rows, q, gelu, column, n, out, 1);
  } else {
    to8(acc, rows, q, gelu, column, n, out, 0);
  }
}

/* A multiplier for all lanes. */
struct scalar {
  __m512i multiplier, half, shift;
  __m128i prescale;
};

static inline struct scalar scalar_of(const struct ivit_dyadic *d) {
  struct scalar s;
  s.multiplier = _mm512_set1_epi32(d->multiplier);
  s.half = _mm512_set1_epi32(d->half);
  s.shift = _mm512_set1_epi32(d->shift);
  s.prescale = _mm_cvtsi32_si128(d->prescale);
  return s;
}

static inline __m512i apply(__m512i codes, const struct scalar *s) {
  __m512i z = _mm512_sll_epi32(codes, s->prescale);
  return ivit_upper_avx512(z, s->multiplier, s->multiplier, s->half, s->shift);
}

static inline __attribute__((always_inline)) void add16(
    const int32_t *acc, int rows, const struct ivit_requant *q, const struct ivit_adder *adder,
    int column, int n, const int16_t *const *identity, int16_t *const *out, const int prescaled) {
  struct scalar branch = scalar_of(&adder->branch);
  struct scalar same = scalar_of(&adder->identity);
  const __m512i least = _mm512_set1_epi32(INT16_MIN);
  const __m512i most = _mm512_set1_epi32(INT16_MAX);
  for (int from = 0; from < n; from += 16) {
    struct ivit_columns_avx512 c = ivit_columns_at_avx512(q, column + from);
    __mmask16 lanes = n - from >= 16 ? 0xFFFF : (__mmask16)((1u << (n - from)) - 1);
    for (int r = 0; r < rows; r++) {
      __m512i z = _mm512_loadu_si512(acc + r * IVIT_COLUMNS + from);
      z = ivit_requantize_avx512(z, &c, prescaled);
      z = _mm512_min_epi32(_mm512_max_epi32(z, least), most);
      __m256i before = _mm256_maskz_loadu_epi16(lanes, identity[r] + column + from);
      __m512i sum = _mm512_add_epi32(
          apply(z, &branch), apply(_mm512_cvtepi16_epi32(before), &same));
      _mm256_mask_storeu_epi16(out[r] + column + from, lanes, _mm512_cvtsepi32_epi16(sum));
    }
  }
}

void ivit_add16_avx512(
    const int32_t *acc, int rows, const struct ivit_requant *q, const struct ivit_adder *adder,
    int column, int n, const int16_t *const *identity, int16_t *const *out) {
  if (q->prescaled) {
    add16(acc, rows, q, adder, column, n, identity, out, 1);
  } else {
    add16(acc, rows, q, adder, column, n, identity, out, 0);
  }
}
