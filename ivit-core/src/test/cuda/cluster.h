/* Clusters of blocks: barriers that count, copies of boxes, products of warpgroups. */
#ifndef IVIT_CLUSTER_H
#define IVIT_CLUSTER_H

#include <stddef.h>
#include <stdint.h>

#include <string>

namespace emulation {

/* Of the thread that runs, and the shared memory of a block of its cluster. */
int block_rank();
int thread_number();
unsigned char *shared_of(int rank);

/* Whether all threads of a block have ended: its shared memory is gone then. */
bool block_ended(int rank);

void cluster_barrier();

/* Barriers of copies lie in shared memory; what they count is kept beside it. */
void phases_init(void *barrier, int arrivals);
void phases_expect(void *barrier, int bytes);
void phases_arrive(void *barrier, int rank);
void phases_wait(void *barrier, int parity);
bool phase_ended(const void *barrier, int parity);

/*
 * What stands for the driver's encoding of a matrix: bytes in 128-byte boxes in the 128-byte swizzle.
 * Returns what is wrong with it, or nothing.
 */
std::string encode_map(
    void *map, const void *address, uint64_t width, uint64_t rows, uint64_t stride,
    uint32_t box_width, uint32_t box_rows);

/*
 * Copies to blocks of the cluster from a first to a last; each arrives only when no thread can go on
 * without one, and until then its place holds rubbish.
 */
void copy_box(void *to, const void *map, void *barrier, int x, int y, int first, int last);

/* Products are computed when they are waited for. */
void group_multiply(int32_t *sums, uint64_t rows, uint64_t columns, bool add);
void group_commit();
void group_done(int under_way);

/* Before and after the blocks of a cluster run: so many threads in all, and what they left undone. */
void begin_cluster(int threads);
std::string left_undone();
bool products_under_way();

/* One of the copies arrives; whether there was one. */
bool finish_copy();

}  // namespace emulation

#endif
