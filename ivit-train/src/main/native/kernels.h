/*
 * Row kernels of training: what surrounds the matrix products of a step, in float32 memory with
 * float64 between, as the portable Java of org.ivit.train.operator has it. Integers are the same in
 * every bit; real numbers differ where a sum is taken in another order.
 *
 * Every file but jni.c and choose.c is part of kernels.c, which is compiled once for each instruction set:
 * the loops are plain C that compilers vectorize.
 */
#ifndef IVIT_TRAIN_KERNELS_H
#define IVIT_TRAIN_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/* Channels that are left out of a node's range and have scales of their own; null mask: none. */
struct ivit_outliers {
  const uint8_t *mask; /* [channels] */
  const int32_t *channels;
  int count;
  int shift;
};

/* Smallest and largest value of each channel, or of all; null where nobody asks. */
struct ivit_extremes {
  int32_t *min;
  int32_t *max;
};

/* (z*m + half) >> shift a channel. */
struct ivit_dyadics {
  const int32_t *multiplier;
  const int64_t *half;
  const int32_t *shift;
};

/* I-LayerNorm: (y*multiplier + offset) >> shift a channel, epsilon beneath the root. */
struct ivit_code_norm {
  const int32_t *multiplier;
  const int64_t *offset; /* with the half that rounds */
  int shift;
  int64_t epsilon;
};

/* Queries, keys and values, [tokens][3][heads][dim]; the other channel of each one's pair. */
struct ivit_heads {
  int tokens;
  int heads;
  int dim;
  const int32_t *partner;
};

struct ivit_training_kernels {
  const char *name;

  /* codes.h */
  void (*recover)(const float *x, double scale, int16_t *out, int n);
  void (*dequantize)(const int16_t *codes, double scale, float *y, int n);
  void (*widen)(
      const int8_t *codes, int rows, int channels, const struct ivit_outliers *apart, float *y);
  void (*requantize8)(
      const float *product, int rows, int channels, const int32_t *bias,
      const struct ivit_dyadics *d, struct ivit_extremes seen, int8_t *out);
  void (*requantize16)(
      const float *product, int rows, int channels, const int32_t *bias,
      const struct ivit_dyadics *d, struct ivit_extremes seen, int16_t *out);
  void (*residual)(
      const int16_t *branch, const int16_t *identity, int16_t *out, int n, const int64_t *dyadics,
      const double *scales, double *seen);
  void (*dequantize_rows)(
      const int8_t *codes, int rows, int channels, const float *scale, float *y);
  /* Rows of accumulators `from` apart to rows of codes `to` apart. */
  void (*tile_to8)(
      const int32_t *acc, int from, int rows, int channels, const struct ivit_dyadics *d,
      struct ivit_extremes seen, int8_t *out, int to);
  void (*tile_to16)(
      const int32_t *acc, int from, int rows, int channels, const struct ivit_dyadics *d,
      struct ivit_extremes seen, int16_t *out, int to);

  /* norms.h */
  void (*norm_codes)(
      const int16_t *x, int rows, int channels, const struct ivit_code_norm *n,
      struct ivit_extremes seen, int8_t *out);
  void (*norm_codes16)(
      const int16_t *x, int rows, int channels, const struct ivit_code_norm *n,
      struct ivit_extremes seen, int16_t *out);
  void (*norm_codes_backward)(
      const int16_t *x, int rows, int channels, int64_t epsilon, double scale,
      const double *gamma, const float *gy, float *gx, int gx_stride, double *gamma_gradient,
      double *beta_gradient);
  void (*norm)(
      const float *x, int x_stride, const double *gamma, const double *beta, double epsilon,
      float *y, int rows, int channels);
  void (*norm_backward)(
      const float *x, int x_stride, const double *gamma, double epsilon, const float *gy,
      float *gx, int rows, int channels, double *gamma_gradient, double *beta_gradient);

  /* gelus.h */
  void (*gelu_codes)(
      const int8_t *x, int rows, int channels, const int8_t *table, const int8_t *outlier_table,
      const struct ivit_outliers *apart, uint8_t *met, int8_t *out);
  void (*gelu_codes_backward)(
      const int8_t *x, float *g, int rows, int channels, const double *slopes,
      const double *outlier_slopes, const struct ivit_outliers *apart);
  void (*gelu)(const float *x, float *y, int n);
  void (*gelu_backward)(const float *x, float *g, int n);
  void (*sigmoid_gate)(const float *x, float *y, int n, double linear, double cubic);
  void (*sigmoid_gate_backward)(const float *x, float *g, int n, double linear, double cubic);

  /* gates.h */
  void (*multiply)(float *x, const float *z, int n);
  void (*gate_to8)(
      const int8_t *gates, const int8_t *values, int rows, int channels, const int16_t *table,
      const struct ivit_dyadics *d, struct ivit_extremes seen, int8_t *out);
  void (*gate_to16)(
      const int8_t *gates, const int8_t *values, int rows, int channels, const int16_t *table,
      const struct ivit_dyadics *d, struct ivit_extremes seen, int16_t *out);
  void (*gate_backward)(
      const int8_t *gates, const int8_t *values, int n, const double *silu, const double *slopes,
      double scale, float *g, float *by_gate);
  void (*turn_codes)(
      const int16_t *x, int pictures, const struct ivit_heads *h, const int16_t *cosines,
      const int16_t *sines, int64_t multiplier, int shift, int8_t *out, int32_t *seen);
  void (*turn)(
      float *x, int pictures, int leading, const struct ivit_heads *h, const double *cosines,
      const double *sines, double direction);

  /* attentions.h */
  void (*scores)(
      const float *product, int n, int64_t multiplier, int shift, int8_t *out, int32_t *seen);
  void (*probabilities)(
      const int8_t *scores, int rows, int n, const uint8_t *masked, const int32_t *exponentials,
      int rounding, int bits, int deferred, float *p);
  void (*divide_sums)(const float *p, int heads, int tokens, int head_dim, float *product);
  void (*softmax)(float *x, int rows, int n);
  void (*softmax_backward)(const float *p, double scale, float *g, int rows, int n);
  void (*probabilities_of_codes)(float *p, int rows, int n);

  /* sums.h */
  void (*add_column_sums)(const float *g, int rows, int channels, float *sums);
  void (*fill_rows)(const float *row, float *y, int rows, int channels);
  void (*add_offsets)(float *y, int rows, int channels, const double *offsets);
  void (*add_scaled)(const float *x, const float *z, double factor, float *y, int n);
  void (*scale)(const float *x, double factor, float *y, int n);
  /* Moments m and v move towards the gradient, which becomes the update. */
  void (*adam)(
      float *gradient, float *m, float *v, float beta1, float beta2, float rate, float epsilon,
      int n);
  double (*squares)(const float *x, int n);
  void (*sum)(const float *const *parts, int count, float *y, int n);
};

/* The kernels of a name; null where this processor does not run them. */
const struct ivit_training_kernels *ivit_training_find(const char *name);

#endif
