/*
 * The functions of cuBLASLt that IVIT calls, over emulated memory, in double precision: what a call says
 * of layouts, transposes, alignments and workspace is checked or used as the library would.
 */
#ifndef IVIT_FAKE_CUBLASLT_H
#define IVIT_FAKE_CUBLASLT_H

#include <stdint.h>
#include <string.h>

#include <vector>

namespace fake_cublaslt {

enum { SUCCESS = 0, INVALID_VALUE = 7, NOT_SUPPORTED = 15 };

struct Description {
  int32_t compute_type;
  int32_t transposed[2] = {0, 0};
};

struct Layout {
  uint64_t rows;
  uint64_t columns;
  int64_t stride;
};

struct Preference {
  uint64_t workspace = 0;
  uint32_t alignment[4] = {256, 256, 256, 256};
};

/* As much of the library's as IVIT looks at. */
struct Result {
  uint32_t alignment[4];
  uint64_t rest[6];
  uint64_t workspace;
  int32_t state;
  float waves;
  int32_t reserved[4];
};

inline int live = 0;
inline int products = 0;
inline int least_columns = 0;

/* Element of a matrix in columns, or of its transpose. */
inline double at(const float *from, const Layout &layout, bool transposed, uint64_t i, uint64_t j) {
  uint64_t row = transposed ? j : i;
  uint64_t column = transposed ? i : j;
  return from[row + column * (uint64_t)layout.stride];
}

template <typename T>
int give(void **to, T *object) {
  *to = object;
  live++;
  return SUCCESS;
}

template <typename T>
int take(void *object) {
  delete (T *)object;
  live--;
  return SUCCESS;
}

}  // namespace fake_cublaslt

#define FAKE extern "C" __attribute__((visibility("default")))

/* Products of fewer columns than that have no algorithm. */
FAKE void fake_cublaslt_refuse(int columns) { fake_cublaslt::least_columns = columns; }

FAKE int fake_cublaslt_live() { return fake_cublaslt::live; }

FAKE int fake_cublaslt_products() { return fake_cublaslt::products; }

FAKE size_t cublasLtGetVersion() { return 120603; }

FAKE int cublasLtCreate(void **to) { return fake_cublaslt::give(to, new int(0)); }

FAKE int cublasLtDestroy(void *handle) { return fake_cublaslt::take<int>(handle); }

FAKE int cublasLtMatmulDescCreate(void **to, int compute_type, int scale_type) {
  bool known = compute_type == 68 || compute_type == 75 || compute_type == 77;
  if (!known || scale_type != 0) {
    return fake_cublaslt::INVALID_VALUE;
  }
  return fake_cublaslt::give(to, new fake_cublaslt::Description{compute_type});
}

FAKE int cublasLtMatmulDescSetAttribute(
    void *description, int attribute, const void *value, size_t bytes) {
  if (bytes != sizeof(int32_t) || (attribute != 3 && attribute != 4)) {
    return fake_cublaslt::INVALID_VALUE;
  }
  memcpy(&((fake_cublaslt::Description *)description)->transposed[attribute - 3], value, bytes);
  return fake_cublaslt::SUCCESS;
}

FAKE int cublasLtMatmulDescDestroy(void *description) {
  return fake_cublaslt::take<fake_cublaslt::Description>(description);
}

FAKE int cublasLtMatrixLayoutCreate(
    void **to, int type, uint64_t rows, uint64_t columns, int64_t stride) {
  if (type != 0 || stride < (int64_t)rows) {
    return fake_cublaslt::INVALID_VALUE;
  }
  return fake_cublaslt::give(to, new fake_cublaslt::Layout{rows, columns, stride});
}

FAKE int cublasLtMatrixLayoutDestroy(void *layout) {
  return fake_cublaslt::take<fake_cublaslt::Layout>(layout);
}

FAKE int cublasLtMatmulPreferenceCreate(void **to) {
  return fake_cublaslt::give(to, new fake_cublaslt::Preference());
}

FAKE int cublasLtMatmulPreferenceSetAttribute(
    void *preference, int attribute, const void *value, size_t bytes) {
  auto *p = (fake_cublaslt::Preference *)preference;
  if (attribute == 1 && bytes == sizeof p->workspace) {
    memcpy(&p->workspace, value, bytes);
    return fake_cublaslt::SUCCESS;
  }
  if (attribute >= 5 && attribute < 9 && bytes == sizeof p->alignment[0]) {
    memcpy(&p->alignment[attribute - 5], value, bytes);
    return fake_cublaslt::SUCCESS;
  }
  return fake_cublaslt::INVALID_VALUE;
}

FAKE int cublasLtMatmulPreferenceDestroy(void *preference) {
  return fake_cublaslt::take<fake_cublaslt::Preference>(preference);
}

FAKE int cublasLtMatmulAlgoGetHeuristic(
    void *, void *, void *, void *, void *, void *sum, void *preference, int wanted, void *results,
    int *found) {
  static_assert(sizeof(fake_cublaslt::Result) == 96, "as large as the library's");
  *found = 0;
  /* Matrices in columns: rows of the sum are columns of ours. */
  if (wanted < 1 || (int)((fake_cublaslt::Layout *)sum)->rows < fake_cublaslt::least_columns) {
    return fake_cublaslt::NOT_SUPPORTED;
  }
  auto *p = (fake_cublaslt::Preference *)preference;
  fake_cublaslt::Result result = {};
  memcpy(result.alignment, p->alignment, sizeof result.alignment);
  result.workspace = p->workspace / 2;
  memcpy(results, &result, sizeof result);
  *found = 1;
  return fake_cublaslt::SUCCESS;
}

FAKE int cublasLtMatmul(
    void *, void *description, const float *alpha, const float *a, void *a_layout, const float *b,
    void *b_layout, const float *beta, const float *c, void *c_layout, float *d, void *d_layout,
    const void *algorithm, void *workspace, size_t workspace_bytes, void *) {
  auto &op = *(fake_cublaslt::Description *)description;
  auto &left = *(fake_cublaslt::Layout *)a_layout;
  auto &right = *(fake_cublaslt::Layout *)b_layout;
  auto &sum = *(fake_cublaslt::Layout *)c_layout;
  fake_cublaslt::Result planned;
  memcpy(&planned, algorithm, sizeof planned);
  const void *operands[] = {a, b, c, d};
  for (int i = 0; i < 4; i++) {
    if ((uintptr_t)operands[i] % planned.alignment[i] != 0) {
      return fake_cublaslt::INVALID_VALUE;
    }
  }
  uint64_t m = op.transposed[0] ? left.columns : left.rows;
  uint64_t k = op.transposed[0] ? left.rows : left.columns;
  uint64_t n = op.transposed[1] ? right.rows : right.columns;
  uint64_t depth = op.transposed[1] ? right.columns : right.rows;
  if (k != depth || sum.rows != m || sum.columns != n || c_layout != d_layout || c != d
      || workspace_bytes != planned.workspace || (workspace_bytes > 0 && workspace == nullptr)) {
    return fake_cublaslt::INVALID_VALUE;
  }
  auto work = [=, op = op, left = left, right = right, stride = (uint64_t)sum.stride,
               alpha = (double)*alpha, beta = (double)*beta] {
    for (uint64_t j = 0; j < n; j++) {
      for (uint64_t i = 0; i < m; i++) {
        double total = 0;
        for (uint64_t l = 0; l < k; l++) {
          total += fake_cublaslt::at(a, left, op.transposed[0] != 0, i, l)
              * fake_cublaslt::at(b, right, op.transposed[1] != 0, l, j);
        }
        float &to = d[i + j * stride];
        to = (float)(alpha * total + (beta == 0 ? 0 : beta * to));
      }
    }
    return 0;
  };
  fake_cublaslt::products++;
  return emulation::in_default_stream(work);
}

#endif
