/* The native methods of org.ivit.core.engine.jni.NativeKernels; arguments are checked there. */
#include "model.h"
#include "pack.h"

#include <jni.h>
#include <string.h>

#define METHOD(type, name) \
  JNIEXPORT type JNICALL Java_org_ivit_core_engine_jni_NativeKernels_##name

static void *pin(JNIEnv *env, jarray array) {
  return array == NULL ? NULL : (*env)->GetPrimitiveArrayCritical(env, array, NULL);
}

/* Nothing is ever written to an array that was pinned. */
static void unpin(JNIEnv *env, jarray array, void *elements) {
  if (elements != NULL) {
    (*env)->ReleasePrimitiveArrayCritical(env, array, elements, JNI_ABORT);
  }
}

static void *copy(JNIEnv *env, struct ivit_arena *arena, jarray array, size_t element) {
  if (array == NULL) {
    return NULL;
  }
  size_t bytes = (size_t)(*env)->GetArrayLength(env, array) * element;
  void *to = ivit_arena_take(arena, bytes);
  void *from = pin(env, array);
  if (to != NULL && from != NULL) {
    memcpy(to, from, bytes);
  }
  unpin(env, array, from);
  return to;
}

static struct ivit_model *model_of(jlong handle) {
  return (struct ivit_model *)(intptr_t)handle;
}

static void at_least(size_t *most, size_t n) {
  *most = *most < n ? n : *most;
}

static void at_least_int(int *most, int n) {
  *most = *most < n ? n : *most;
}

METHOD(jstring, unavailable)(JNIEnv *env, jclass class, jstring name) {
  (void)class;
  const char *text = (*env)->GetStringUTFChars(env, name, NULL);
  if (text == NULL) {
    return NULL;
  }
  const char *reason = NULL;
  ivit_kernels_find(text, &reason);
  (*env)->ReleaseStringUTFChars(env, name, text);
  return reason == NULL ? NULL : (*env)->NewStringUTF(env, reason);
}

METHOD(jlong, newModel)(
    JNIEnv *env, jclass class, jstring name, jint height, jint width, jint patch,
    jint classes) {
  (void)class;
  const char *text = (*env)->GetStringUTFChars(env, name, NULL);
  if (text == NULL) {
    return 0;
  }
  const char *reason = NULL;
  const struct ivit_kernels *kernels = ivit_kernels_find(text, &reason);
  (*env)->ReleaseStringUTFChars(env, name, text);
  struct ivit_model *m = kernels == NULL ? NULL : ivit_model_new(kernels, height, width, patch);
  if (m != NULL) {
    m->classes = classes;
  }
  return (jlong)(intptr_t)m;
}

METHOD(void, freeModel)(JNIEnv *env, jclass class, jlong model) {
  (void)env;
  (void)class;
  ivit_model_free(model_of(model));
}

METHOD(jboolean, whole)(JNIEnv *env, jclass class, jlong model) {
  (void)env;
  (void)class;
  return (jboolean)ivit_arena_whole(model_of(model)->arena);
}

METHOD(jlong, linear)(
    JNIEnv *env, jclass class, jlong model, jbyteArray weight, jbyteArray table,
    jbyteArray group_multiplier, jint bits, jint group_shift, jint inputs, jint outputs, jintArray bias, jintArray outlier,
    jint shift, jintArray multiplier, jbyteArray exponent, jboolean logits) {
  (void)class;
  struct ivit_model *m = model_of(model);
  jint outliers = (*env)->GetArrayLength(env, outlier);
  void *w = pin(env, weight);
  void *t = pin(env, table);
  void *g = pin(env, group_multiplier);
  void *b = pin(env, bias);
  void *o = pin(env, outlier);
  void *mu = pin(env, multiplier);
  void *e = pin(env, exponent);
  struct ivit_linear *l = NULL;
  int decoder = (table == NULL || t != NULL) && (group_multiplier == NULL || g != NULL);
  if (w != NULL && decoder && b != NULL && o != NULL && mu != NULL && e != NULL) {
    struct ivit_layer layer = {inputs, outputs, b, o, outliers, shift, mu, e, logits};
    struct ivit_indices indices = {w, t, g, bits, group_shift};
    l = t == NULL && g == NULL ? ivit_linear_new(m->kernels, m->arena, w, &layer)
                               : ivit_linear_of_indices(m->kernels, m->arena, &indices, &layer);
  }
  unpin(env, exponent, e);
  unpin(env, multiplier, mu);
  unpin(env, outlier, o);
  unpin(env, bias, b);
  unpin(env, group_multiplier, g);
  unpin(env, table, t);
  unpin(env, weight, w);
  at_least_int(&m->most_inputs, inputs);
  at_least_int(&m->most_outliers, outliers);
  at_least(&m->most_decoded, l == NULL ? 0 : ivit_decoded_size(l));
  if (!logits) {
    at_least_int(&m->most_hidden, outputs);
  }
  return (jlong)(intptr_t)l;
}

METHOD(jlong, norm)(
    JNIEnv *env, jclass class, jlong model, jintArray multiplier, jlongArray offset, jint shift,
    jlong epsilon) {
  (void)class;
  struct ivit_model *m = model_of(model);
  jint channels = (*env)->GetArrayLength(env, multiplier);
  void *mu = pin(env, multiplier);
  void *b = pin(env, offset);
  struct ivit_norm *n = NULL;
  if (mu != NULL && b != NULL) {
    n = ivit_norm_new(m->arena, mu, b, channels, shift, (uint64_t)epsilon);
  }
  unpin(env, offset, b);
  unpin(env, multiplier, mu);
  at_least_int(&m->most_inputs, channels);
  return (jlong)(intptr_t)n;
}

METHOD(jlong, gelu)(
    JNIEnv *env, jclass class, jlong model, jboolean by_row, jbyteArray table,
    jbyteArray outlier_table, jintArray outlier, jint channels) {
  (void)class;
  jint outliers = (*env)->GetArrayLength(env, outlier);
  void *t = pin(env, table);
  void *ot = pin(env, outlier_table);
  void *o = pin(env, outlier);
  struct ivit_gelu *g = NULL;
  if (t != NULL && ot != NULL && o != NULL) {
    const struct ivit_model *m = model_of(model);
    g = ivit_gelu_new(m->kernels->zero, m->arena, by_row, t, ot, o, outliers, channels);
  }
  unpin(env, outlier, o);
  unpin(env, outlier_table, ot);
  unpin(env, table, t);
  return (jlong)(intptr_t)g;
}

METHOD(jlong, turns)(
    JNIEnv *env, jclass class, jlong model, jshortArray cos, jshortArray sin, jint heads,
    jint head_dim) {
  (void)class;
  jint tokens = (*env)->GetArrayLength(env, cos) / head_dim;
  void *c = pin(env, cos);
  void *s = pin(env, sin);
  struct ivit_turns *t = NULL;
  if (c != NULL && s != NULL) {
    t = ivit_turns_new(model_of(model)->arena, c, s, tokens, heads, head_dim);
  }
  unpin(env, sin, s);
  unpin(env, cos, c);
  return (jlong)(intptr_t)t;
}

METHOD(jlong, rotation)(
    JNIEnv *env, jclass class, jlong model, jlong turns, jint multiplier, jint shift) {
  (void)env;
  (void)class;
  const struct ivit_turns *t = (const struct ivit_turns *)(intptr_t)turns;
  return (jlong)(intptr_t)ivit_rotation_new(model_of(model)->arena, t, multiplier, (uint8_t)shift);
}

METHOD(jlong, gating)(
    JNIEnv *env, jclass class, jlong model, jshortArray table, jintArray multiplier,
    jbyteArray exponent) {
  (void)class;
  struct ivit_model *m = model_of(model);
  jint channels = (*env)->GetArrayLength(env, multiplier);
  void *t = pin(env, table);
  void *mu = pin(env, multiplier);
  void *e = pin(env, exponent);
  struct ivit_gating *g = NULL;
  if (t != NULL && mu != NULL && e != NULL) {
    g = ivit_gating_new(m->kernels->zero, m->arena, t, mu, e, channels);
  }
  unpin(env, exponent, e);
  unpin(env, multiplier, mu);
  unpin(env, table, t);
  at_least_int(&m->most_gated, channels);
  return (jlong)(intptr_t)g;
}

static int set_scores(
    struct ivit_arena *arena, struct ivit_attention *a, jint multiplier, jint shift) {
  size_t columns = ivit_round_up((size_t)a->tokens, IVIT_COLUMNS);
  int32_t *m = ivit_arena_take(arena, columns * sizeof(int32_t));
  uint8_t *e = ivit_arena_take(arena, columns);
  if (!ivit_arena_whole(arena)) {
    return 0;
  }
  for (size_t c = 0; c < columns; c++) {
    m[c] = multiplier;
    e[c] = (uint8_t)shift;
  }
  return ivit_requant_set(arena, &a->scores, m, e, (int)columns);
}

static int set_context(
    struct ivit_arena *arena, struct ivit_attention *a, const int32_t *multiplier,
    const uint8_t *shift) {
  for (int head = 0; head < a->heads; head++) {
    int first = head * a->head_dim;
    if (!ivit_requant_set(
            arena, &a->context[head], multiplier + first, shift + first, a->head_dim)) {
      return 0;
    }
  }
  return 1;
}

/* Attention without what its scores need; 0 where memory is short or a multiplier is refused. */
static struct ivit_attention *new_attention(
    JNIEnv *env, struct ivit_model *m, jint heads, jint head_dim, jint tokens,
    jintArray exponentials, jint rounding, jint bits, jboolean deferred,
    jintArray context_multiplier, jbyteArray context_shift) {
  struct ivit_attention *a = ivit_arena_take(m->arena, sizeof *a);
  struct ivit_requant *context =
      ivit_arena_take(m->arena, (size_t)heads * sizeof(struct ivit_requant));
  if (!ivit_arena_whole(m->arena)) {
    return NULL;
  }
  a->heads = heads;
  a->head_dim = head_dim;
  a->tokens = tokens;
  a->context = context;
  void *table = pin(env, exponentials);
  void *mu = pin(env, context_multiplier);
  void *e = pin(env, context_shift);
  int done = 0;
  if (table != NULL && mu != NULL && e != NULL) {
    ivit_softmax_set(&a->softmax, table, rounding, bits, deferred);
    done = set_context(m->arena, a, mu, e);
  }
  unpin(env, context_shift, e);
  unpin(env, context_multiplier, mu);
  unpin(env, exponentials, table);
  at_least_int(&m->most_group, tokens);
  at_least_int(&m->most_head_dim, head_dim);
  return done ? a : NULL;
}

METHOD(jlong, attention)(
    JNIEnv *env, jclass class, jlong model, jint heads, jint head_dim, jint tokens,
    jint multiplier, jint shift, jintArray exponentials, jint rounding, jint bits,
    jboolean deferred, jintArray context_multiplier, jbyteArray context_shift) {
  (void)class;
  struct ivit_model *m = model_of(model);
  struct ivit_attention *a = new_attention(
      env, m, heads, head_dim, tokens, exponentials, rounding, bits, deferred, context_multiplier,
      context_shift);
  return a != NULL && set_scores(m->arena, a, multiplier, shift) ? (jlong)(intptr_t)a : 0;
}

METHOD(jlong, queryAttention)(
    JNIEnv *env, jclass class, jlong model, jint heads, jint head_dim, jint tokens,
    jintArray exponentials, jint rounding, jint bits, jboolean deferred,
    jintArray context_multiplier, jbyteArray context_shift) {
  (void)class;
  struct ivit_attention *a = new_attention(
      env, model_of(model), heads, head_dim, tokens, exponentials, rounding, bits, deferred,
      context_multiplier, context_shift);
  if (a != NULL) {
    a->pooling = 1;
  }
  return (jlong)(intptr_t)a;
}

METHOD(jboolean, window)(
    JNIEnv *env, jclass class, jlong model, jlong attention, jintArray score, jintArray table,
    jint rows, jint columns, jint leading, jlongArray masks, jint windows) {
  (void)class;
  const struct ivit_model *m = model_of(model);
  struct ivit_attention *a = (struct ivit_attention *)(intptr_t)attention;
  void *s = pin(env, score);
  void *t = pin(env, table);
  void *k = pin(env, masks);
  if (s != NULL && t != NULL && k != NULL) {
    struct ivit_grid grid = {rows, columns, leading};
    a->window = ivit_window_new(m->kernels->zero, m->arena, s, t, a->heads, grid, k, windows);
  }
  unpin(env, masks, k);
  unpin(env, table, t);
  unpin(env, score, s);
  return (jboolean)(a->window != NULL);
}

/* A residual add from four integers: multiplier and shift of the branch and of the identity. */
static int set_adder(struct ivit_adder *adder, const jint *v) {
  return ivit_dyadic_set(&adder->branch, v[0], v[1])
      && ivit_dyadic_set(&adder->identity, v[2], v[3]);
}

METHOD(jlong, block)(
    JNIEnv *env, jclass class, jlong model, jint dim, jint hidden, jint tokens, jintArray order,
    jintArray places, jint tokens_in, jint qkv_in, jlongArray nodes, jintArray residuals) {
  (void)class;
  struct ivit_model *m = model_of(model);
  struct ivit_block *b = ivit_arena_take(m->arena, sizeof *b);
  int *order_copy = copy(env, m->arena, order, sizeof(jint));
  int *places_copy = copy(env, m->arena, places, sizeof(jint));
  int16_t *zeros = ivit_arena_take(m->arena, (size_t)dim * sizeof(int16_t));
  if (!ivit_arena_whole(m->arena)) {
    return 0;
  }
  jlong n[12];
  jint r[8];
  (*env)->GetLongArrayRegion(env, nodes, 0, 12, n);
  (*env)->GetIntArrayRegion(env, residuals, 0, 8, r);
  if ((*env)->ExceptionCheck(env)) {
    return 0;
  }
  b->dim = dim;
  b->hidden = hidden;
  b->tokens = tokens;
  b->order = order_copy;
  b->places = places_copy;
  b->tokens_in = tokens_in;
  b->qkv_in = qkv_in;
  b->norm1 = (struct ivit_norm *)(intptr_t)n[0];
  b->qkv = (struct ivit_linear *)(intptr_t)n[1];
  b->rotation = (const struct ivit_rotation *)(intptr_t)n[2];
  b->attention = (struct ivit_attention *)(intptr_t)n[3];
  b->proj = (struct ivit_linear *)(intptr_t)n[4];
  b->norm2 = (struct ivit_norm *)(intptr_t)n[5];
  b->fc1 = (struct ivit_linear *)(intptr_t)n[6];
  b->gelu = (struct ivit_gelu *)(intptr_t)n[7];
  b->value = (struct ivit_linear *)(intptr_t)n[8];
  b->gating = (struct ivit_gating *)(intptr_t)n[9];
  b->mlp_norm = (struct ivit_norm *)(intptr_t)n[10];
  b->fc2 = (struct ivit_linear *)(intptr_t)n[11];
  b->zeros = b->attention->pooling ? zeros : NULL;
  at_least(&m->most_tokens, (size_t)tokens * (size_t)dim);
  at_least(&m->most_qkv, (size_t)tokens * ivit_stride(3 * (size_t)dim));
  at_least(&m->most_context, (size_t)tokens * ivit_stride((size_t)dim));
  at_least(&m->most_expanded, (size_t)tokens * ivit_expanded_stride(b));
  at_least_int(&m->most_dim, dim);
  at_least_int(&m->most_hidden, hidden);
  return set_adder(&b->residual1, r) && set_adder(&b->residual2, r + 4) ? (jlong)(intptr_t)b : 0;
}

/* A new step that writes tokens to a buffer of a picture, or reads them there; or null. */
static struct ivit_step *new_step(
    jlong model, enum ivit_step_kind kind, jint rows, jint dim, jint buffer) {
  struct ivit_model *m = model_of(model);
  struct ivit_step *step = ivit_model_add_step(m, kind, rows, dim);
  if (step != NULL) {
    step->tokens_out = buffer;
  }
  size_t tokens = kind == IVIT_MERGE ? 4 * (size_t)rows : (size_t)rows;
  at_least(&m->most_tokens, tokens * (size_t)dim);
  at_least_int(&m->most_inputs, dim);
  return step;
}

METHOD(jboolean, embedStep)(
    JNIEnv *env, jclass class, jlong model, jint rows, jint dim, jlong linear, jintArray adder,
    jint leading, jshortArray leading_codes, jshortArray positions, jlong next) {
  (void)class;
  struct ivit_model *m = model_of(model);
  int16_t *constants = copy(env, m->arena, leading_codes, sizeof(jshort));
  int16_t *added = copy(env, m->arena, positions, sizeof(jshort));
  struct ivit_step *step = new_step(model, IVIT_EMBED, rows, dim, 0);
  jint a[4];
  (*env)->GetIntArrayRegion(env, adder, 0, 4, a);
  if (!ivit_arena_whole(m->arena) || (*env)->ExceptionCheck(env)) {
    return 0;
  }
  step->linear = (struct ivit_linear *)(intptr_t)linear;
  step->leading = leading;
  step->leading_codes = constants;
  step->positions = added;
  step->next = (struct ivit_block *)(intptr_t)next;
  return (jboolean)set_adder(&step->adder, a);
}

METHOD(jboolean, patchNormStep)(
    JNIEnv *env, jclass class, jlong model, jint rows, jint dim, jlong linear, jlong norm,
    jlong next) {
  (void)env;
  (void)class;
  struct ivit_step *step = new_step(model, IVIT_PATCH_NORM, rows, dim, 0);
  if (step == NULL) {
    return 0;
  }
  step->linear = (struct ivit_linear *)(intptr_t)linear;
  step->norm = (struct ivit_norm *)(intptr_t)norm;
  step->next = (struct ivit_block *)(intptr_t)next;
  return 1;
}

METHOD(jboolean, blockStep)(
    JNIEnv *env, jclass class, jlong model, jint rows, jlong block, jlong next) {
  (void)env;
  (void)class;
  struct ivit_block *b = (struct ivit_block *)(intptr_t)block;
  struct ivit_step *step = new_step(model, IVIT_BLOCK, rows, b->dim, b->tokens_in);
  if (step == NULL) {
    return 0;
  }
  step->block = b;
  step->next = (struct ivit_block *)(intptr_t)next;
  return 1;
}

METHOD(jboolean, mergeStep)(
    JNIEnv *env, jclass class, jlong model, jint rows, jint dim, jint width, jint buffer,
    jlong norm, jlong reduction, jlong next) {
  (void)env;
  (void)class;
  struct ivit_step *step = new_step(model, IVIT_MERGE, rows, dim, buffer);
  if (step == NULL) {
    return 0;
  }
  step->width = width;
  step->norm = (struct ivit_norm *)(intptr_t)norm;
  step->linear = (struct ivit_linear *)(intptr_t)reduction;
  step->next = (struct ivit_block *)(intptr_t)next;
  return 1;
}

METHOD(jboolean, normStep)(
    JNIEnv *env, jclass class, jlong model, jint rows, jint dim, jint buffer, jlong norm,
    jlong next) {
  (void)env;
  (void)class;
  struct ivit_step *step = new_step(model, IVIT_NORM, rows, dim, buffer);
  if (step == NULL) {
    return 0;
  }
  step->norm = (struct ivit_norm *)(intptr_t)norm;
  step->next = (struct ivit_block *)(intptr_t)next;
  return 1;
}

METHOD(jboolean, normCodesStep)(
    JNIEnv *env, jclass class, jlong model, jint rows, jint dim, jint buffer, jint leading,
    jlong norm) {
  (void)env;
  (void)class;
  struct ivit_model *m = model_of(model);
  struct ivit_step *step = new_step(model, IVIT_NORM_CODES, rows, dim, buffer);
  if (step == NULL) {
    return 0;
  }
  step->leading = leading;
  step->norm = (struct ivit_norm *)(intptr_t)norm;
  at_least(&m->most_context, (size_t)rows * ivit_stride((size_t)dim));
  return 1;
}

METHOD(jboolean, meanStep)(
    JNIEnv *env, jclass class, jlong model, jint dim, jint buffer, jint tokens, jint leading,
    jint multiplier, jint shift) {
  (void)env;
  (void)class;
  struct ivit_step *step = new_step(model, IVIT_MEAN, 1, dim, buffer);
  if (step == NULL) {
    return 0;
  }
  step->tokens = tokens;
  step->leading = leading;
  step->pool_multiplier = multiplier;
  step->pool_shift = shift;
  return 1;
}

METHOD(jboolean, headStep)(
    JNIEnv *env, jclass class, jlong model, jint dim, jint buffer, jint token, jlong norm,
    jlong head) {
  (void)env;
  (void)class;
  struct ivit_step *step = new_step(model, IVIT_HEAD, 1, dim, buffer);
  if (step == NULL) {
    return 0;
  }
  step->token = token;
  step->add = token > 0;
  step->norm = (struct ivit_norm *)(intptr_t)norm;
  step->linear = (struct ivit_linear *)(intptr_t)head;
  return 1;
}

METHOD(jboolean, poolHeadStep)(
    JNIEnv *env, jclass class, jlong model, jint dim, jint tokens, jint multiplier, jint shift,
    jboolean add, jlong head) {
  (void)env;
  (void)class;
  struct ivit_step *step = new_step(model, IVIT_POOL_HEAD, 1, dim, 0);
  if (step == NULL) {
    return 0;
  }
  step->tokens = tokens;
  step->pool_multiplier = multiplier;
  step->pool_shift = shift;
  step->add = add;
  step->linear = (struct ivit_linear *)(intptr_t)head;
  return 1;
}

METHOD(jboolean, firstTokenStep)(
    JNIEnv *env, jclass class, jlong model, jint dim, jint buffer) {
  (void)env;
  (void)class;
  return (jboolean)(new_step(model, IVIT_FIRST_TOKEN, 1, dim, buffer) != NULL);
}

METHOD(jlong, newPicture)(JNIEnv *env, jclass class, jlong model) {
  (void)env;
  (void)class;
  return (jlong)(intptr_t)ivit_picture_new(model_of(model));
}

METHOD(void, freePicture)(JNIEnv *env, jclass class, jlong picture) {
  (void)env;
  (void)class;
  ivit_picture_free((struct ivit_picture *)(intptr_t)picture);
}

METHOD(jlong, newScratch)(JNIEnv *env, jclass class, jlong model) {
  (void)env;
  (void)class;
  return (jlong)(intptr_t)ivit_scratch_new(model_of(model));
}

METHOD(void, freeScratch)(JNIEnv *env, jclass class, jlong scratch) {
  (void)env;
  (void)class;
  ivit_scratch_free((struct ivit_scratch *)(intptr_t)scratch);
}

METHOD(void, setCodes)(
    JNIEnv *env, jclass class, jlong picture, jbyteArray codes, jint at, jint length) {
  (void)class;
  struct ivit_picture *p = (struct ivit_picture *)(intptr_t)picture;
  (*env)->GetByteArrayRegion(env, codes, at, length, (jbyte *)p->codes);
}

METHOD(void, logits)(
    JNIEnv *env, jclass class, jlong picture, jintArray logits, jint at, jint length) {
  (void)class;
  struct ivit_picture *p = (struct ivit_picture *)(intptr_t)picture;
  (*env)->SetIntArrayRegion(env, logits, at, length, (const jint *)p->logits);
}

METHOD(void, run)(
    JNIEnv *env, jclass class, jlong model, jint step, jlong picture, jlong scratch, jint phase,
    jint from, jint to, jint first, jint end) {
  (void)env;
  (void)class;
  struct ivit_part part = {(enum ivit_phase)phase, from, to, first, end};
  ivit_model_run(
      model_of(model), step, &part, (struct ivit_picture *)(intptr_t)picture,
      (struct ivit_scratch *)(intptr_t)scratch);
}
