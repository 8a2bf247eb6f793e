/* What device_cluster.cuh says in PTX. */
#ifndef IVIT_EMULATION_CLUSTER_H
#define IVIT_EMULATION_CLUSTER_H

#include "cluster.h"

#define IVIT_HAS_CLUSTERS

#define IVIT_CLUSTER_KERNEL(threads) void

namespace ivit {

template <typename T>
uint32_t shared_address(Shared<T> pointer) {
  return (uint32_t)((unsigned char *)pointer.p - emulation::shared_memory());
}

inline int cluster_rank() { return emulation::block_rank(); }

inline void cluster_barrier() { emulation::cluster_barrier(); }

template <int N>
void fewer_registers() {}

template <int N>
void more_registers() {}

inline void phases_init(Shared<uint64_t> barrier, int arrivals) {
  emulation::phases_init(barrier.p, arrivals);
}

inline void phases_ready() {}

inline void phases_expect(Shared<uint64_t> barrier, int bytes) {
  emulation::phases_expect(barrier.p, bytes);
}

inline void phases_arrive(Shared<uint64_t> barrier, int rank) {
  emulation::phases_arrive(barrier.p, rank);
}

inline void phases_wait(Shared<uint64_t> barrier, int parity) {
  emulation::phases_wait(barrier.p, parity);
}

inline void prefetch_map(const TensorMap &) {}

inline void copy_box(
    Shared<unsigned char> to, const TensorMap &map, Shared<uint64_t> barrier, int x, int y) {
  int self = cluster_rank();
  emulation::copy_box(to.p, &map, barrier.p, x, y, self, self);
}

inline void copy_box_to_cluster(
    Shared<unsigned char> to, const TensorMap &map, Shared<uint64_t> barrier, int x, int y) {
  emulation::copy_box(to.p, &map, barrier.p, x, y, 0, CLUSTER_BLOCKS - 1);
}

inline void group_begin(Accumulator (&)[2][1][16]) {}

inline void group_multiply(
    Accumulator (&c)[2][1][16], uint64_t rows, uint64_t columns, bool add) {
  emulation::group_multiply(c[0][0][0].r, rows, columns, add);
}

inline void group_commit() { emulation::group_commit(); }

inline void group_all_but_one() { emulation::group_done(1); }

inline void group_done(Accumulator (&)[2][1][16]) { emulation::group_done(0); }

}  // namespace ivit

#endif
