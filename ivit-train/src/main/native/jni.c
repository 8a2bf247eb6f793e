/*
 * The glue: numbers come as addresses, codes and constants as arrays, which stay where they are
 * while a kernel runs. Java has checked every length.
 */
#include "product.h"

#include <jni.h>

#define METHOD(type, name) JNIEXPORT type JNICALL Java_org_ivit_train_memory_NativeRows_##name

static void *pin(JNIEnv *env, jarray array) {
  return array == NULL ? NULL : (*env)->GetPrimitiveArrayCritical(env, array, NULL);
}

static void unpin(JNIEnv *env, jarray array, void *data, jint mode) {
  if (array != NULL && data != NULL) {
    (*env)->ReleasePrimitiveArrayCritical(env, array, data, mode);
  }
}

static float *at(jlong address) {
  return (float *)(intptr_t)address;
}

static const struct ivit_training_kernels *chosen;

static const struct ivit_training_kernels *kernels(void) {
  return chosen;
}

/* Before any other call, and not while one runs. */
METHOD(jboolean, select)(JNIEnv *env, jclass class, jstring name) {
  (void)class;
  const char *text = (*env)->GetStringUTFChars(env, name, NULL);
  if (text == NULL) {
    return JNI_FALSE;
  }
  const struct ivit_training_kernels *found = ivit_training_find(text);
  (*env)->ReleaseStringUTFChars(env, name, text);
  chosen = found != NULL ? found : chosen;
  return found != NULL;
}

METHOD(jlong, start)(JNIEnv *env, jclass class, jobject memory) {
  (void)class;
  return (jlong)(intptr_t)(*env)->GetDirectBufferAddress(env, memory);
}

METHOD(void, recover)(
    JNIEnv *env, jclass class, jlong x, jdouble scale, jshortArray out, jint n) {
  (void)class;
  void *o = pin(env, out);
  if (o != NULL) {
    kernels()->recover(at(x), scale, o, n);
  }
  unpin(env, out, o, 0);
}

METHOD(void, dequantize)(
    JNIEnv *env, jclass class, jshortArray codes, jdouble scale, jlong y, jint n) {
  (void)class;
  void *c = pin(env, codes);
  if (c != NULL) {
    kernels()->dequantize(c, scale, at(y), n);
  }
  unpin(env, codes, c, JNI_ABORT);
}

METHOD(void, widen)(
    JNIEnv *env, jclass class, jbyteArray codes, jint rows, jint channels, jintArray apart,
    jint shift, jlong y) {
  (void)class;
  int count = (*env)->GetArrayLength(env, apart);
  void *c = pin(env, codes);
  void *a = pin(env, apart);
  if (c != NULL && a != NULL) {
    struct ivit_outliers outliers = {NULL, a, count, shift};
    kernels()->widen(c, rows, channels, &outliers, at(y));
  }
  unpin(env, apart, a, JNI_ABORT);
  unpin(env, codes, c, JNI_ABORT);
}

static void requantize(
    JNIEnv *env, jlong product, jint rows, jint channels, jintArray bias, jintArray multiplier,
    jlongArray half, jintArray shift, jintArray min, jintArray max, jarray out, int wide) {
  void *b = pin(env, bias);
  void *m = pin(env, multiplier);
  void *h = pin(env, half);
  void *e = pin(env, shift);
  void *o = pin(env, out);
  struct ivit_extremes seen = {pin(env, min), pin(env, max)};
  if (b != NULL && m != NULL && h != NULL && e != NULL && o != NULL) {
    struct ivit_dyadics dyadics = {m, h, e};
    if (wide) {
      kernels()->requantize16(at(product), rows, channels, b, &dyadics, seen, o);
    } else {
      kernels()->requantize8(at(product), rows, channels, b, &dyadics, seen, o);
    }
  }
  unpin(env, max, seen.max, 0);
  unpin(env, min, seen.min, 0);
  unpin(env, out, o, 0);
  unpin(env, shift, e, JNI_ABORT);
  unpin(env, half, h, JNI_ABORT);
  unpin(env, multiplier, m, JNI_ABORT);
  unpin(env, bias, b, JNI_ABORT);
}

METHOD(void, requantize8)(
    JNIEnv *env, jclass class, jlong product, jint rows, jint channels, jintArray bias,
    jintArray multiplier, jlongArray half, jintArray shift, jintArray min, jintArray max,
    jbyteArray out) {
  (void)class;
  requantize(env, product, rows, channels, bias, multiplier, half, shift, min, max, out, 0);
}

METHOD(void, requantize16)(
    JNIEnv *env, jclass class, jlong product, jint rows, jint channels, jintArray bias,
    jintArray multiplier, jlongArray half, jintArray shift, jintArray min, jintArray max,
    jshortArray out) {
  (void)class;
  requantize(env, product, rows, channels, bias, multiplier, half, shift, min, max, out, 1);
}

METHOD(void, residual)(
    JNIEnv *env, jclass class, jshortArray branch, jshortArray identity, jshortArray out,
    jint from, jint n, jlongArray dyadics, jdoubleArray scales, jdoubleArray seen) {
  (void)class;
  int16_t *b = pin(env, branch);
  int16_t *i = pin(env, identity);
  int16_t *o = pin(env, out);
  void *d = pin(env, dyadics);
  void *s = pin(env, scales);
  void *m = pin(env, seen);
  if (b != NULL && i != NULL && o != NULL && d != NULL) {
    kernels()->residual(b + from, i + from, o + from, n, d, m == NULL ? NULL : s, m);
  }
  unpin(env, seen, m, 0);
  unpin(env, scales, s, JNI_ABORT);
  unpin(env, dyadics, d, JNI_ABORT);
  unpin(env, out, o, 0);
  unpin(env, identity, i, JNI_ABORT);
  unpin(env, branch, b, JNI_ABORT);
}

/* To 8-bit codes where `wide` is false, else to 16-bit ones. */
METHOD(void, normCodes)(
    JNIEnv *env, jclass class, jshortArray x, jint rows, jint channels, jintArray multiplier,
    jlongArray offset, jint shift, jlong epsilon, jintArray min, jintArray max, jboolean wide,
    jobject out) {
  (void)class;
  void *c = pin(env, x);
  void *m = pin(env, multiplier);
  void *b = pin(env, offset);
  void *o = pin(env, out);
  struct ivit_extremes seen = {pin(env, min), pin(env, max)};
  if (c != NULL && m != NULL && b != NULL && o != NULL) {
    struct ivit_code_norm norm = {m, b, shift, epsilon};
    if (wide) {
      kernels()->norm_codes16(c, rows, channels, &norm, seen, o);
    } else {
      kernels()->norm_codes(c, rows, channels, &norm, seen, o);
    }
  }
  unpin(env, max, seen.max, 0);
  unpin(env, min, seen.min, 0);
  unpin(env, out, o, 0);
  unpin(env, offset, b, JNI_ABORT);
  unpin(env, multiplier, m, JNI_ABORT);
  unpin(env, x, c, JNI_ABORT);
}

METHOD(void, normCodesBackward)(
    JNIEnv *env, jclass class, jshortArray x, jint rows, jint channels, jlong epsilon,
    jdouble scale, jdoubleArray gamma, jlong gy, jlong gx, jint stride,
    jdoubleArray gamma_gradient, jdoubleArray beta_gradient) {
  (void)class;
  void *c = pin(env, x);
  void *g = pin(env, gamma);
  void *gg = pin(env, gamma_gradient);
  void *gb = pin(env, beta_gradient);
  if (c != NULL && g != NULL && gg != NULL && gb != NULL) {
    kernels()->norm_codes_backward(
        c, rows, channels, epsilon, scale, g, at(gy), at(gx), stride, gg, gb);
  }
  unpin(env, beta_gradient, gb, 0);
  unpin(env, gamma_gradient, gg, 0);
  unpin(env, gamma, g, JNI_ABORT);
  unpin(env, x, c, JNI_ABORT);
}

METHOD(void, norm)(
    JNIEnv *env, jclass class, jlong x, jint stride, jdoubleArray gamma, jdoubleArray beta,
    jdouble epsilon, jlong y, jint rows, jint channels) {
  (void)class;
  void *g = pin(env, gamma);
  void *b = pin(env, beta);
  if (g != NULL && b != NULL) {
    kernels()->norm(at(x), stride, g, b, epsilon, at(y), rows, channels);
  }
  unpin(env, beta, b, JNI_ABORT);
  unpin(env, gamma, g, JNI_ABORT);
}

METHOD(void, normBackward)(
    JNIEnv *env, jclass class, jlong x, jint stride, jdoubleArray gamma, jdouble epsilon, jlong gy,
    jlong gx, jint rows, jint channels, jdoubleArray gamma_gradient, jdoubleArray beta_gradient) {
  (void)class;
  void *g = pin(env, gamma);
  void *gg = pin(env, gamma_gradient);
  void *gb = pin(env, beta_gradient);
  if (g != NULL && gg != NULL && gb != NULL) {
    kernels()->norm_backward(
        at(x), stride, g, epsilon, at(gy), at(gx), rows, channels, gg, gb);
  }
  unpin(env, beta_gradient, gb, 0);
  unpin(env, gamma_gradient, gg, 0);
  unpin(env, gamma, g, JNI_ABORT);
}

METHOD(void, geluCodes)(
    JNIEnv *env, jclass class, jbyteArray x, jint rows, jint channels, jbyteArray table,
    jbyteArray outlier_table, jbooleanArray mask, jintArray apart, jbooleanArray met,
    jbyteArray out) {
  (void)class;
  int count = (*env)->GetArrayLength(env, apart);
  void *c = pin(env, x);
  void *t = pin(env, table);
  void *u = pin(env, outlier_table);
  void *k = pin(env, mask);
  void *a = pin(env, apart);
  void *m = pin(env, met);
  void *o = pin(env, out);
  if (c != NULL && t != NULL && u != NULL && k != NULL && a != NULL && o != NULL) {
    struct ivit_outliers outliers = {k, a, count, 0};
    kernels()->gelu_codes(c, rows, channels, t, u, &outliers, m, o);
  }
  unpin(env, out, o, 0);
  unpin(env, met, m, 0);
  unpin(env, apart, a, JNI_ABORT);
  unpin(env, mask, k, JNI_ABORT);
  unpin(env, outlier_table, u, JNI_ABORT);
  unpin(env, table, t, JNI_ABORT);
  unpin(env, x, c, JNI_ABORT);
}

METHOD(void, geluCodesBackward)(
    JNIEnv *env, jclass class, jbyteArray x, jlong g, jint rows, jint channels,
    jdoubleArray slopes, jdoubleArray outlier_slopes, jintArray apart) {
  (void)class;
  int count = (*env)->GetArrayLength(env, apart);
  void *c = pin(env, x);
  void *s = pin(env, slopes);
  void *u = pin(env, outlier_slopes);
  void *a = pin(env, apart);
  if (c != NULL && s != NULL && u != NULL && a != NULL) {
    struct ivit_outliers outliers = {NULL, a, count, 0};
    kernels()->gelu_codes_backward(c, at(g), rows, channels, s, u, &outliers);
  }
  unpin(env, apart, a, JNI_ABORT);
  unpin(env, outlier_slopes, u, JNI_ABORT);
  unpin(env, slopes, s, JNI_ABORT);
  unpin(env, x, c, JNI_ABORT);
}

METHOD(void, gelu)(JNIEnv *env, jclass class, jlong x, jlong y, jint n) {
  (void)env;
  (void)class;
  kernels()->gelu(at(x), at(y), n);
}

METHOD(void, geluBackward)(JNIEnv *env, jclass class, jlong x, jlong g, jint n) {
  (void)env;
  (void)class;
  kernels()->gelu_backward(at(x), at(g), n);
}

METHOD(void, sigmoidGate)(
    JNIEnv *env, jclass class, jlong x, jlong y, jint n, jdouble linear, jdouble cubic) {
  (void)env;
  (void)class;
  kernels()->sigmoid_gate(at(x), at(y), n, linear, cubic);
}

METHOD(void, sigmoidGateBackward)(
    JNIEnv *env, jclass class, jlong x, jlong g, jint n, jdouble linear, jdouble cubic) {
  (void)env;
  (void)class;
  kernels()->sigmoid_gate_backward(at(x), at(g), n, linear, cubic);
}

METHOD(void, multiply)(JNIEnv *env, jclass class, jlong x, jlong z, jint n) {
  (void)env;
  (void)class;
  kernels()->multiply(at(x), at(z), n);
}

/* To 8-bit codes where `wide` is false, else to 16-bit ones. */
METHOD(void, gate)(
    JNIEnv *env, jclass class, jbyteArray gates, jbyteArray values, jint rows, jint channels,
    jshortArray table, jintArray multiplier, jlongArray half, jintArray shift, jintArray min,
    jintArray max, jboolean wide, jobject out) {
  (void)class;
  void *g = pin(env, gates);
  void *v = pin(env, values);
  void *t = pin(env, table);
  void *m = pin(env, multiplier);
  void *h = pin(env, half);
  void *e = pin(env, shift);
  void *o = pin(env, out);
  struct ivit_extremes seen = {pin(env, min), pin(env, max)};
  if (g != NULL && v != NULL && t != NULL && m != NULL && h != NULL && e != NULL && o != NULL) {
    struct ivit_dyadics dyadics = {m, h, e};
    if (wide) {
      kernels()->gate_to16(g, v, rows, channels, t, &dyadics, seen, o);
    } else {
      kernels()->gate_to8(g, v, rows, channels, t, &dyadics, seen, o);
    }
  }
  unpin(env, max, seen.max, 0);
  unpin(env, min, seen.min, 0);
  unpin(env, out, o, 0);
  unpin(env, shift, e, JNI_ABORT);
  unpin(env, half, h, JNI_ABORT);
  unpin(env, multiplier, m, JNI_ABORT);
  unpin(env, table, t, JNI_ABORT);
  unpin(env, values, v, JNI_ABORT);
  unpin(env, gates, g, JNI_ABORT);
}

METHOD(void, gateBackward)(
    JNIEnv *env, jclass class, jbyteArray gates, jbyteArray values, jint n, jdoubleArray silu,
    jdoubleArray slopes, jdouble scale, jlong g, jlong by_gate) {
  (void)class;
  void *c = pin(env, gates);
  void *v = pin(env, values);
  void *t = pin(env, silu);
  void *s = pin(env, slopes);
  if (c != NULL && v != NULL && t != NULL && s != NULL) {
    kernels()->gate_backward(c, v, n, t, s, scale, at(g), at(by_gate));
  }
  unpin(env, slopes, s, JNI_ABORT);
  unpin(env, silu, t, JNI_ABORT);
  unpin(env, values, v, JNI_ABORT);
  unpin(env, gates, c, JNI_ABORT);
}

METHOD(void, turnCodes)(
    JNIEnv *env, jclass class, jshortArray x, jint pictures, jint tokens, jint heads, jint dim,
    jintArray partner, jshortArray cosines, jshortArray sines, jint multiplier, jint shift,
    jbyteArray out, jintArray seen) {
  (void)class;
  void *c = pin(env, x);
  void *p = pin(env, partner);
  void *a = pin(env, cosines);
  void *b = pin(env, sines);
  void *o = pin(env, out);
  void *s = pin(env, seen);
  if (c != NULL && p != NULL && a != NULL && b != NULL && o != NULL && s != NULL) {
    struct ivit_heads all = {tokens, heads, dim, p};
    kernels()->turn_codes(c, pictures, &all, a, b, multiplier, shift, o, s);
  }
  unpin(env, seen, s, 0);
  unpin(env, out, o, 0);
  unpin(env, sines, b, JNI_ABORT);
  unpin(env, cosines, a, JNI_ABORT);
  unpin(env, partner, p, JNI_ABORT);
  unpin(env, x, c, JNI_ABORT);
}

METHOD(void, turn)(
    JNIEnv *env, jclass class, jlong x, jint pictures, jint tokens, jint leading, jint heads,
    jint dim, jintArray partner, jdoubleArray cosines, jdoubleArray sines, jdouble direction) {
  (void)class;
  void *p = pin(env, partner);
  void *a = pin(env, cosines);
  void *b = pin(env, sines);
  if (p != NULL && a != NULL && b != NULL) {
    struct ivit_heads all = {tokens, heads, dim, p};
    kernels()->turn(at(x), pictures, leading, &all, a, b, direction);
  }
  unpin(env, sines, b, JNI_ABORT);
  unpin(env, cosines, a, JNI_ABORT);
  unpin(env, partner, p, JNI_ABORT);
}

METHOD(void, scores)(
    JNIEnv *env, jclass class, jlong product, jint n, jlong multiplier, jint shift,
    jbyteArray out, jintArray seen) {
  (void)class;
  void *o = pin(env, out);
  void *s = pin(env, seen);
  if (o != NULL && s != NULL) {
    kernels()->scores(at(product), n, multiplier, shift, o, s);
  }
  unpin(env, seen, s, 0);
  unpin(env, out, o, 0);
}

METHOD(void, probabilities)(
    JNIEnv *env, jclass class, jbyteArray scores, jint rows, jint n, jbooleanArray masked,
    jintArray exponentials, jint rounding, jint bits, jboolean deferred, jlong p) {
  (void)class;
  void *x = pin(env, scores);
  void *e = pin(env, exponentials);
  void *k = pin(env, masked);
  if (x != NULL && e != NULL && (k != NULL || masked == NULL)) {
    kernels()->probabilities(x, rows, n, k, e, rounding, bits, deferred, at(p));
  }
  unpin(env, masked, k, JNI_ABORT);
  unpin(env, exponentials, e, JNI_ABORT);
  unpin(env, scores, x, JNI_ABORT);
}

METHOD(void, divideSums)(
    JNIEnv *env, jclass class, jlong p, jint heads, jint tokens, jint head_dim, jlong product) {
  (void)env;
  (void)class;
  kernels()->divide_sums(at(p), heads, tokens, head_dim, at(product));
}

METHOD(void, softmax)(JNIEnv *env, jclass class, jlong x, jint rows, jint n) {
  (void)env;
  (void)class;
  kernels()->softmax(at(x), rows, n);
}

METHOD(void, softmaxBackward)(
    JNIEnv *env, jclass class, jlong p, jdouble scale, jlong g, jint rows, jint n) {
  (void)env;
  (void)class;
  kernels()->softmax_backward(at(p), scale, at(g), rows, n);
}

METHOD(void, probabilitiesOfCodes)(JNIEnv *env, jclass class, jlong p, jint rows, jint n) {
  (void)env;
  (void)class;
  kernels()->probabilities_of_codes(at(p), rows, n);
}

METHOD(void, addColumnSums)(
    JNIEnv *env, jclass class, jlong g, jint rows, jint channels, jlong sums) {
  (void)env;
  (void)class;
  kernels()->add_column_sums(at(g), rows, channels, at(sums));
}

METHOD(void, fillRows)(JNIEnv *env, jclass class, jlong row, jlong y, jint rows, jint channels) {
  (void)env;
  (void)class;
  kernels()->fill_rows(at(row), at(y), rows, channels);
}

METHOD(void, addOffsets)(
    JNIEnv *env, jclass class, jlong y, jint rows, jint channels, jdoubleArray offsets) {
  (void)class;
  void *o = pin(env, offsets);
  if (o != NULL) {
    kernels()->add_offsets(at(y), rows, channels, o);
  }
  unpin(env, offsets, o, JNI_ABORT);
}

METHOD(void, addScaled)(
    JNIEnv *env, jclass class, jlong x, jlong z, jdouble factor, jlong y, jint n) {
  (void)env;
  (void)class;
  kernels()->add_scaled(at(x), at(z), factor, at(y), n);
}

METHOD(void, scale)(JNIEnv *env, jclass class, jlong x, jdouble factor, jlong y, jint n) {
  (void)env;
  (void)class;
  kernels()->scale(at(x), factor, at(y), n);
}

METHOD(void, sum)(JNIEnv *env, jclass class, jlongArray parts, jint count, jlong y, jint n) {
  (void)class;
  const float *all[64];
  void *addresses = pin(env, parts);
  if (addresses != NULL) {
    for (int i = 0; i < count; i++) {
      all[i] = at(((jlong *)addresses)[i]);
    }
  }
  unpin(env, parts, addresses, JNI_ABORT);
  if (addresses != NULL) {
    kernels()->sum(all, count, at(y), n);
  }
}

METHOD(void, dequantizeRows)(
    JNIEnv *env, jclass class, jbyteArray codes, jint rows, jint channels, jfloatArray scale,
    jlong y) {
  (void)class;
  void *c = pin(env, codes);
  void *s = pin(env, scale);
  if (c != NULL && s != NULL) {
    kernels()->dequantize_rows(c, rows, channels, s, at(y));
  }
  unpin(env, scale, s, JNI_ABORT);
  unpin(env, codes, c, JNI_ABORT);
}

METHOD(jdouble, squares)(JNIEnv *env, jclass class, jlong x, jint n) {
  (void)env;
  (void)class;
  return kernels()->squares(at(x), n);
}

static struct ivit_product *product_of(jlong handle) {
  return (struct ivit_product *)(intptr_t)handle;
}

METHOD(jlong, newProduct)(
    JNIEnv *env, jclass class, jint inputs, jint outputs, jintArray outlier, jint shift) {
  (void)class;
  int count = (*env)->GetArrayLength(env, outlier);
  void *o = pin(env, outlier);
  struct ivit_product *p =
      o == NULL ? NULL : ivit_product_new(inputs, outputs, o, count, shift);
  unpin(env, outlier, o, JNI_ABORT);
  return (jlong)(intptr_t)p;
}

METHOD(void, freeProduct)(JNIEnv *env, jclass class, jlong product) {
  (void)env;
  (void)class;
  ivit_product_free(product_of(product));
}

METHOD(jboolean, loadProduct)(
    JNIEnv *env, jclass class, jlong product, jbyteArray weight, jintArray bias) {
  (void)class;
  void *w = pin(env, weight);
  void *b = pin(env, bias);
  int done = w != NULL && b != NULL && ivit_product_load(product_of(product), w, b);
  unpin(env, bias, b, JNI_ABORT);
  unpin(env, weight, w, JNI_ABORT);
  return (jboolean)done;
}

METHOD(jlong, scratchOfProduct)(JNIEnv *env, jclass class, jlong product, jint rows) {
  (void)env;
  (void)class;
  return (jlong)ivit_product_scratch(product_of(product), rows);
}

METHOD(void, runProduct)(
    JNIEnv *env, jclass class, jlong product, jbyteArray x, jint rows, jintArray multiplier,
    jlongArray half, jintArray shift, jintArray min, jintArray max, jlong scratch, jboolean wide,
    jobject out) {
  (void)class;
  void *c = pin(env, x);
  void *m = pin(env, multiplier);
  void *h = pin(env, half);
  void *e = pin(env, shift);
  void *o = pin(env, out);
  struct ivit_extremes seen = {pin(env, min), pin(env, max)};
  if (c != NULL && m != NULL && h != NULL && e != NULL && o != NULL) {
    struct ivit_dyadics dyadics = {m, h, e};
    ivit_product_run(
        product_of(product), kernels(), c, rows, &dyadics, seen,
        (uint8_t *)(intptr_t)scratch, wide, o);
  }
  unpin(env, max, seen.max, 0);
  unpin(env, min, seen.min, 0);
  unpin(env, out, o, 0);
  unpin(env, shift, e, JNI_ABORT);
  unpin(env, half, h, JNI_ABORT);
  unpin(env, multiplier, m, JNI_ABORT);
  unpin(env, x, c, JNI_ABORT);
}

METHOD(void, adam)(
    JNIEnv *env, jclass class, jlong gradient, jlong m, jlong v, jfloat beta1, jfloat beta2,
    jfloat rate, jfloat epsilon, jint n) {
  (void)env;
  (void)class;
  kernels()->adam(at(gradient), at(m), at(v), beta1, beta2, rate, epsilon, n);
}
