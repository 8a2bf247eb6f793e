/* Neighbours in memory that a thread moves at once. */
#pragma once

#include <type_traits>

#include "reals.cuh"

namespace ivit {

/* How many neighbours, as a value that a generic body takes. */
template <int N>
struct Width {
  enum { width = N };
};

/* So many neighbours, in words; a power of 2, and 4 bytes or more. */
template <typename T, int N>
struct alignas(N * sizeof(T) < 16 ? N * sizeof(T) : 16) Some {
  uint32_t r[N * sizeof(T) / 4];
};

template <typename T>
struct Some<T, 1> {
  T r[1];
};

template <typename T>
IVIT_DEVICE T value_of(uint32_t bits) {
  if constexpr (std::is_same_v<T, float>) {
    return real_of(bits);
  } else {
    return (T)bits;
  }
}

template <typename T, int N>
IVIT_DEVICE T at(const Some<T, N> &v, int i) {
  if constexpr (N == 1) {
    return v.r[0];
  } else {
    const int each = 4 / (int)sizeof(T);
    return value_of<T>(v.r[i / each] >> (8 * (int)sizeof(T) * (i % each)));
  }
}

/* Into neighbours that are set one after the other, from the first on. */
template <typename T, int N>
IVIT_DEVICE void put(Some<T, N> &to, int i, T v) {
  if constexpr (N == 1) {
    to.r[0] = v;
  } else if constexpr (std::is_same_v<T, float>) {
    to.r[i] = bits_of(v);
  } else {
    const int each = 4 / (int)sizeof(T);
    const uint32_t mask = 0xffffffffu >> (32 - 8 * (int)sizeof(T));
    uint32_t bits = ((uint32_t)v & mask) << (8 * (int)sizeof(T) * (i % each));
    to.r[i / each] = i % each == 0 ? bits : to.r[i / each] | bits;
  }
}

template <int N, typename T>
IVIT_DEVICE Some<std::remove_const_t<T>, N> load(Global<T> from) {
  return *as<const Some<std::remove_const_t<T>, N>>(from);
}

template <typename T, int N>
IVIT_DEVICE void store(Global<T> to, const Some<T, N> &v) {
  *as<Some<T, N>>(to) = v;
}

/* Whether neighbours may be moved at once: all lie at multiples of their size, null does. */
template <int N, typename... T>
IVIT_DEVICE bool wide(Global<T>... pointers) {
  return (... && (address_of(pointers) % alignof(Some<std::remove_const_t<T>, N>) == 0));
}

}  // namespace ivit
