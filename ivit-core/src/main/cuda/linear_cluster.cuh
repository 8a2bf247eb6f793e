/*
 * Large products on Hopper. A cluster of two blocks makes 256 by 256 outputs at a time, and goes on
 * to the next as long as there are some. In each block one thread asks for the stages, the bytes of
 * its 128 rows and half of the weights' columns, which go to both blocks; two warpgroups multiply 64
 * rows by 256 columns each. Warpgroups wait for stages alone and never for each other, so that one ends
 * its tile while the other multiplies, and stages of the next tile arrive meanwhile.
 */
#pragma once

#include "cluster.cuh"
#include "linear_codes.cuh"
#include "linear_stream.cuh"

namespace ivit {

/* The maps have boxes of 128 rows by 128 bytes in the 128-byte swizzle. */
struct ClusterLinearArguments {
  LinearArguments linear; /* its addresses of input and weight are not read */
  Divisor across;         /* of the columns in tiles */
  int32_t column_tiles;
  int32_t tiles;    /* of 256 rows and 256 columns */
  TensorMap input;  /* [rows][depth] */
  TensorMap weight; /* [columns, padded to 128][depth] */
};

#ifdef IVIT_HAS_CLUSTERS

enum {
  CLUSTER_STAGES = 4,
  CLUSTER_DEPTH = 128, /* bytes along K of a stage */
  CLUSTER_STEPS = CLUSTER_DEPTH / K_STEP,
  BOX_ROWS = 128,
  BOX_BYTES = BOX_ROWS * CLUSTER_DEPTH,
  CLUSTER_STAGE_BYTES = (1 + CLUSTER_BLOCKS) * BOX_BYTES, /* rows, then columns */
  CLUSTER_COLUMNS = CLUSTER_BLOCKS * BOX_ROWS,
  CLUSTER_GROUPS = BOX_ROWS / GroupTile::rows,
  GROUP_BYTES = GroupTile::rows * GroupTile::columns * 2, /* of 16-bit codes */
  MULTIPLYING_WARPS = CLUSTER_GROUPS * GROUP_THREADS / WARP,
  CLUSTER_THREADS = (CLUSTER_GROUPS + 1) * GROUP_THREADS,
  /* Of a thread: 168 of each at first, which are not enough for sums and what follows them. */
  FEEDING_REGISTERS = 24,
  MULTIPLYING_REGISTERS = 240
};

static_assert(CLUSTER_COLUMNS == 2 * GroupTile::columns, "accumulators are two tiles of a group");

/* The sums of a warpgroup: of its first 128 columns, then of the others. */
using GroupSums = Accumulator[2][GroupTile::m][GroupTile::n];

/* A block's shared memory. */
struct ClusterMemory {
  Shared<unsigned char> begin;

  IVIT_DEVICE Shared<unsigned char> stage(int slot) const {
    return begin + slot * CLUSTER_STAGE_BYTES;
  }

  /* Where codes of a warpgroup wait that are added in 64 bits. */
  IVIT_DEVICE Shared<unsigned char> output(int group) const {
    return begin + (CLUSTER_STAGES * CLUSTER_STAGE_BYTES + group * GROUP_BYTES);
  }

  IVIT_DEVICE Shared<unsigned char> tables() const { return output(CLUSTER_GROUPS); }

  /* Ends a phase when a stage's bytes are there. */
  IVIT_DEVICE Shared<uint64_t> full(int slot) const {
    return as<uint64_t>(tables() + GELU_BYTES) + slot;
  }

  /* Ends one when every warp of the cluster that multiplies has left a stage. */
  IVIT_DEVICE Shared<uint64_t> empty(int slot) const { return full(CLUSTER_STAGES + slot); }
};

/* A place among the stages, and the parity of the times that it was reached. */
struct ClusterRing {
  int slot;
  int parity;

  IVIT_DEVICE void next() {
    slot++;
    if (slot == CLUSTER_STAGES) {
      slot = 0;
      parity ^= 1;
    }
  }
};

/* A block's share of a tile of its cluster. */
struct ClusterPlace {
  int row;
  int column;
};

IVIT_DEVICE ClusterPlace cluster_place(const ClusterLinearArguments &a, int tile) {
  int down = (int)divide((uint32_t)tile, a.across);
  return ClusterPlace{
      (down * CLUSTER_BLOCKS + cluster_rank()) * BOX_ROWS,
      (tile - down * a.column_tiles) * CLUSTER_COLUMNS};
}

IVIT_DEVICE int first_cluster_tile() { return (int)blockIdx.x / CLUSTER_BLOCKS; }

IVIT_DEVICE int next_cluster_tile(int tile) { return tile + (int)gridDim.x / CLUSTER_BLOCKS; }

IVIT_DEVICE int cluster_stages(const LinearArguments &a) {
  return (a.depth + CLUSTER_DEPTH - 1) / CLUSTER_DEPTH;
}

/* Asks for the stages of all tiles; one thread. */
IVIT_DEVICE void feed_stages(const ClusterLinearArguments &a, const ClusterMemory &memory) {
  prefetch_map(a.input);
  prefetch_map(a.weight);
  int half = cluster_rank() * BOX_ROWS;
  int stages = cluster_stages(a.linear);
  ClusterRing ring = {0, 0};
#pragma unroll 1
  for (int tile = first_cluster_tile(); tile < a.tiles; tile = next_cluster_tile(tile)) {
    ClusterPlace place = cluster_place(a, tile);
#pragma unroll 1
    for (int stage = 0; stage < stages; stage++) {
      phases_wait(memory.empty(ring.slot), ring.parity ^ 1);
      Shared<uint64_t> full = memory.full(ring.slot);
      Shared<unsigned char> to = memory.stage(ring.slot);
      int x = stage * CLUSTER_DEPTH;
      phases_expect(full, CLUSTER_STAGE_BYTES);
      copy_box(to, a.input, full, x, place.row);
      copy_box_to_cluster(
          to + (BOX_BYTES + half * CLUSTER_DEPTH), a.weight, full, x, place.column + half);
      ring.next();
    }
  }
}

/* This warp has left a stage, which the thread of each block that fills it must know. */
IVIT_DEVICE void leave_stage(const ClusterMemory &memory, int slot) {
  int lane = (int)threadIdx.x % WARP;
  if (lane < CLUSTER_BLOCKS) {
    phases_arrive(memory.empty(slot), lane);
  }
}

/* The operands of a warpgroup in a stage. */
struct StageOperands {
  uint64_t rows;
  uint64_t columns;

  IVIT_DEVICE explicit StageOperands(Shared<unsigned char> stage) {
    int group = (int)threadIdx.x / GROUP_THREADS;
    uint32_t begin = shared_address(stage);
    rows = operand_of_128(begin + (uint32_t)(group * GroupTile::rows * CLUSTER_DEPTH));
    columns = operand_of_128(begin + BOX_BYTES);
  }

  IVIT_DEVICE void multiply(int step, bool add, GroupSums &sums) const {
    uint64_t on = (uint64_t)(step * K_STEP >> 4);
    group_multiply(sums, rows + on, columns + on, add);
  }
};

/*
 * Stages from one to another. A stage is left when the next one's products are under way. The sums
 * begin with the stage 0.
 */
IVIT_DEVICE void multiply_stages(
    const ClusterMemory &memory, ClusterRing &ring, int begin, int end, GroupSums &sums) {
  int held = -1;
#pragma unroll 1
  for (int stage = begin; stage < end; stage++) {
    phases_wait(memory.full(ring.slot), ring.parity);
    StageOperands operands(memory.stage(ring.slot));
    group_begin(sums);
#pragma unroll
    for (int step = 0; step < CLUSTER_STEPS; step++) {
      operands.multiply(step, step > 0 || stage > 0, sums);
    }
    group_commit();
    group_all_but_one();
    if (held >= 0) {
      leave_stage(memory, held);
    }
    held = ring.slot;
    ring.next();
  }
  group_done(sums);
  if (held >= 0) {
    leave_stage(memory, held);
  }
}

IVIT_DEVICE void shift_sums(GroupSums &sums, int shift) {
  shift_left<GroupTile>(sums[0], shift);
  shift_left<GroupTile>(sums[1], shift);
}

/* The stage in which the outlier channels end: one product after the other. */
IVIT_DEVICE void multiply_shifted(
    const LinearArguments &a, const ClusterMemory &memory, ClusterRing &ring, int stage,
    GroupSums &sums) {
  phases_wait(memory.full(ring.slot), ring.parity);
  StageOperands operands(memory.stage(ring.slot));
#pragma unroll 1
  for (int step = 0; step < CLUSTER_STEPS; step++) {
    int steps = stage * CLUSTER_STEPS + step;
    if (steps == a.outlier_steps) {
      shift_sums(sums, a.outlier_shift);
    }
    group_begin(sums);
    operands.multiply(step, steps > 0, sums);
    group_commit();
    group_done(sums);
  }
  leave_stage(memory, ring.slot);
  ring.next();
}

/* The sums of a tile without bias. */
IVIT_DEVICE void multiply_tile(
    const LinearArguments &a, const ClusterMemory &memory, ClusterRing &ring, GroupSums &sums) {
  int stages = cluster_stages(a);
  int shifted = a.outlier_steps > 0 ? a.outlier_steps / CLUSTER_STEPS : stages;
  multiply_stages(memory, ring, 0, shifted, sums);
  if (shifted < stages) {
    multiply_shifted(a, memory, ring, shifted, sums);
    multiply_stages(memory, ring, shifted + 1, stages, sums);
  } else if (a.outlier_steps > 0) {
    shift_sums(sums, a.outlier_shift);
  }
}

/* Multiplies and ends all tiles of the cluster; a warpgroup its rows of them. */
template <typename Epilogue>
IVIT_DEVICE void multiply_tiles(const ClusterLinearArguments &a, const ClusterMemory &memory) {
  int group = (int)threadIdx.x / GROUP_THREADS;
  GroupSums sums = {};
  ClusterRing ring = {0, 0};
#pragma unroll 1
  for (int tile = first_cluster_tile(); tile < a.tiles; tile = next_cluster_tile(tile)) {
    multiply_tile(a.linear, memory, ring, sums);
    ClusterPlace place = cluster_place(a, tile);
    int row = place.row + group * GroupTile::rows;
#pragma unroll
    for (int half = 0; half < 2; half++) {
      int column = place.column + half * GroupTile::columns;
      if (row < a.linear.rows && column < a.linear.columns) {
        Epilogue::finish(a.linear, memory, group, row, column, sums[half]);
      }
    }
  }
}

/* Shared memory: as ClusterMemory has it. */
template <typename Epilogue>
IVIT_DEVICE void linear_cluster(const ClusterLinearArguments &a) {
  await_previous_grid();
  ClusterMemory memory = {shared_memory()};
  if (threadIdx.x == 0) {
#pragma unroll
    for (int slot = 0; slot < CLUSTER_STAGES; slot++) {
      phases_init(memory.full(slot), 1);
      phases_init(memory.empty(slot), CLUSTER_BLOCKS * MULTIPLYING_WARPS);
    }
    phases_ready();
  }
  Epilogue::prepare(a.linear, memory);
  cluster_barrier();
  if ((int)threadIdx.x / WARP >= MULTIPLYING_WARPS) {
    fewer_registers<FEEDING_REGISTERS>();
    if ((int)threadIdx.x == MULTIPLYING_WARPS * WARP) {
      feed_stages(a, memory);
    }
    warp_barrier();
  } else {
    more_registers<MULTIPLYING_REGISTERS>();
    multiply_tiles<Epilogue>(a, memory);
  }
  /* Until then the other block sends and arrives here. */
  cluster_barrier();
}

/* Codes of 8 bits, with or without GELU. */
struct ClusterCodes {
  IVIT_DEVICE static void prepare(const LinearArguments &a, const ClusterMemory &memory) {
    if (present(a.tables)) {
      load_tables(a, memory.tables());
    }
  }

  IVIT_DEVICE static void finish(
      const LinearArguments &a, const ClusterMemory &memory, int, int row, int column,
      const Accumulator (&sums)[GroupTile::m][GroupTile::n]) {
    codes_epilogue<GroupTile>(a, memory.tables(), row, column, sums);
  }
};

/* Codes of 16 bits, added to others or not. */
struct ClusterStream {
  IVIT_DEVICE static void prepare(const LinearArguments &, const ClusterMemory &) {}

  IVIT_DEVICE static void finish(
      const LinearArguments &a, const ClusterMemory &memory, int group, int row, int column,
      const Accumulator (&sums)[GroupTile::m][GroupTile::n]) {
    stream_epilogue<GroupTile>(a, memory.output(group), row, column, sums);
  }
};

#define IVIT_LINEAR_CLUSTER(a, Epilogue) ivit::linear_cluster<ivit::Epilogue>(a)

#else

#define IVIT_LINEAR_CLUSTER(a, Epilogue)

#endif

}  // namespace ivit

IVIT_CLUSTER_KERNEL(384) linear_codes_cluster(IVIT_ARGUMENTS(ivit::ClusterLinearArguments) a) {
  IVIT_LINEAR_CLUSTER(a, ClusterCodes);
}

IVIT_CLUSTER_KERNEL(384) linear_stream_cluster(IVIT_ARGUMENTS(ivit::ClusterLinearArguments) a) {
  IVIT_LINEAR_CLUSTER(a, ClusterStream);
}

#undef IVIT_LINEAR_CLUSTER
