/* What cluster.cuh says of Hopper, as PTX. */
#pragma once

namespace ivit {

#ifdef __CUDA_ARCH_FEAT_SM90_ALL

#define IVIT_HAS_CLUSTERS

#define IVIT_CLUSTER_KERNEL(threads) \
  extern "C" __global__ void __cluster_dims__(ivit::CLUSTER_BLOCKS, 1, 1) __launch_bounds__(threads, 1)

/* This block's number in its cluster. */
IVIT_DEVICE int cluster_rank() {
  uint32_t rank;
  asm volatile("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
  return (int)rank;
}

/* All threads of the cluster, and what they wrote to shared memory. */
IVIT_DEVICE void cluster_barrier() {
  asm volatile("barrier.cluster.arrive.release;\nbarrier.cluster.wait.acquire;" ::: "memory");
}

/* This warpgroup gives registers of its threads back, down to so many, or takes some that were. */
template <int N>
IVIT_DEVICE void fewer_registers() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(N));
}

template <int N>
IVIT_DEVICE void more_registers() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(N));
}

/* A barrier whose phases end after so many arrivals, and after all bytes that were announced. */
IVIT_DEVICE void phases_init(Shared<uint64_t> barrier, int arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;"
               :
               : "r"(shared_address(barrier)), "r"(arrivals)
               : "memory");
}

/* What was initialised is seen by copies and by the other block, after the next barrier. */
IVIT_DEVICE void phases_ready() {
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
}

/* Arrives, and announces bytes that copies will bring. */
IVIT_DEVICE void phases_expect(Shared<uint64_t> barrier, int bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;"
               :
               : "r"(shared_address(barrier)), "r"(bytes)
               : "memory");
}

/*
 * Arrives at the barrier that lies there in a block of the cluster. That orders what copies and products
 * do, not what threads wrote: an order for these would be a fence of the whole GPU.
 */
IVIT_DEVICE void phases_arrive(Shared<uint64_t> barrier, int rank) {
  asm volatile(
      "{ .reg .b32 there;\n"
      "mapa.shared::cluster.u32 there, %0, %1;\n"
      "mbarrier.arrive.shared::cluster.b64 _, [there]; }"
      :
      : "r"(shared_address(barrier)), "r"(rank)
      : "memory");
}

/* Until the phase of this parity has ended; before the first, the odd one has. */
IVIT_DEVICE void phases_wait(Shared<uint64_t> barrier, int parity) {
  uint32_t ended;
  do {
    asm volatile(
        "{ .reg .pred p;\n"
        "mbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2;\n"
        "selp.u32 %0, 1, 0, p; }"
        : "=r"(ended)
        : "r"(shared_address(barrier)), "r"(parity)
        : "memory");
  } while (ended == 0);
}

/* The map is read before it is needed. */
IVIT_DEVICE void prefetch_map(const TensorMap &map) {
  asm volatile("prefetch.tensormap [%0];" ::"l"(&map) : "memory");
}

/*
 * The box whose first byte is `x` of row `y`, in the swizzle of its map, zeros where the matrix has
 * none. The barrier counts all its bytes.
 */
IVIT_DEVICE void copy_box(
    Shared<unsigned char> to, const TensorMap &map, Shared<uint64_t> barrier, int x, int y) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes"
      " [%0], [%1, {%3, %4}], [%2];"
      :
      : "r"(shared_address(to)), "l"(&map), "r"(shared_address(barrier)), "r"(x), "r"(y)
      : "memory");
}

/* The same to both blocks of the cluster, each with the barrier that lies there. */
IVIT_DEVICE void copy_box_to_cluster(
    Shared<unsigned char> to, const TensorMap &map, Shared<uint64_t> barrier, int x, int y) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes"
      ".multicast::cluster [%0], [%1, {%3, %4}], [%2], %5;"
      :
      : "r"(shared_address(to)), "l"(&map), "r"(shared_address(barrier)), "r"(x), "r"(y),
        "h"((uint16_t)((1 << CLUSTER_BLOCKS) - 1))
      : "memory");
}

#define IVIT_EIGHT_OF(h, j)                                                                        \
  "+r"(c[h][0][j].r[0]), "+r"(c[h][0][j].r[1]), "+r"(c[h][0][j].r[2]), "+r"(c[h][0][j].r[3]),      \
      "+r"(c[h][0][j + 1].r[0]), "+r"(c[h][0][j + 1].r[1]), "+r"(c[h][0][j + 1].r[2]),             \
      "+r"(c[h][0][j + 1].r[3])

#define IVIT_ACCUMULATORS_256                                                                     \
  IVIT_EIGHT_OF(0, 0), IVIT_EIGHT_OF(0, 2), IVIT_EIGHT_OF(0, 4), IVIT_EIGHT_OF(0, 6),             \
  IVIT_EIGHT_OF(0, 8), IVIT_EIGHT_OF(0, 10), IVIT_EIGHT_OF(0, 12), IVIT_EIGHT_OF(0, 14),          \
  IVIT_EIGHT_OF(1, 0), IVIT_EIGHT_OF(1, 2), IVIT_EIGHT_OF(1, 4), IVIT_EIGHT_OF(1, 6),             \
  IVIT_EIGHT_OF(1, 8), IVIT_EIGHT_OF(1, 10), IVIT_EIGHT_OF(1, 12), IVIT_EIGHT_OF(1, 14)

/* Products may follow: the accumulators were written by other means. */
IVIT_DEVICE void group_begin(Accumulator (&c)[2][1][16]) {
  asm volatile("wgmma.fence.sync.aligned;" : IVIT_ACCUMULATORS_256::"memory");
}

/*
 * c += rows * columns over 32 bytes of K, 64 rows and 256 columns, or c = where `add` is false.
 * Operands by operand_of_128. Not complete until waited for.
 */
IVIT_DEVICE void group_multiply(
    Accumulator (&c)[2][1][16], uint64_t rows, uint64_t columns, bool add) {
  asm volatile(
      "{ .reg .pred p; setp.ne.b32 p, %130, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n256k32.s32.s8.s8 {"
      "%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,"
      "%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29,%30,%31,"
      "%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47,"
      "%48,%49,%50,%51,%52,%53,%54,%55,%56,%57,%58,%59,%60,%61,%62,%63,"
      "%64,%65,%66,%67,%68,%69,%70,%71,%72,%73,%74,%75,%76,%77,%78,%79,"
      "%80,%81,%82,%83,%84,%85,%86,%87,%88,%89,%90,%91,%92,%93,%94,%95,"
      "%96,%97,%98,%99,%100,%101,%102,%103,%104,%105,%106,%107,%108,%109,%110,%111,"
      "%112,%113,%114,%115,%116,%117,%118,%119,%120,%121,%122,%123,%124,%125,%126,%127"
      "}, %128, %129, p; }"
      : IVIT_ACCUMULATORS_256
      : "l"(rows), "l"(columns), "r"((int)add)
      : "memory");
}

/* What was multiplied since the last commit is one group. */
IVIT_DEVICE void group_commit() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }

/* Waits until at most one group is under way; its accumulators must not be read. */
IVIT_DEVICE void group_all_but_one() {
  asm volatile("wgmma.wait_group.sync.aligned 1;" ::: "memory");
}

/* Waits for all. */
IVIT_DEVICE void group_done(Accumulator (&c)[2][1][16]) {
  asm volatile("wgmma.wait_group.sync.aligned 0;" : IVIT_ACCUMULATORS_256::"memory");
}

#undef IVIT_EIGHT_OF
#undef IVIT_ACCUMULATORS_256

#else

#define IVIT_CLUSTER_KERNEL(threads) IVIT_KERNEL(threads, 1)

#endif

}  // namespace ivit
