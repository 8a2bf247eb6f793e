/* From the gradient of dequantized weights to those of weights and of the points of their grids. */
#pragma once

#include "weight_grid.cuh"

namespace ivit {

enum { MOST_ENTRIES = 128 /* of a table */ };

struct GridGradientArguments {
  Global<const float> weight; /* [outputs][inputs] */
  Global<float> gradient;     /* by dequantized weights, becomes that by weights, [outputs][inputs] */
  Global<const float> scales; /* of the grid, [outputs] */
  Global<const int32_t> order; /* the point of each entry of a table, [outputs][2^bits]; or null */
  Global<float> points;        /* receives the gradient, [outputs][points]; or null */
  WeightGrid grid;
  double slope; /* of a weight by its point; of groups for each unit of q */
  int32_t outputs;
  int32_t inputs;
  int32_t run; /* inputs of a point where there is no table */
  int32_t unused;
};

/* What a weight adds to a point. */
struct PointShare {
  double gradient;
  int32_t index;
};

/* That of one weight, whose own gradient goes where it lies beyond the ends of the grid. */
IVIT_DEVICE PointShare share_of(
    const GridGradientArguments &a, int64_t output, int input, float reciprocal) {
  int64_t at = output * a.inputs + input;
  GridCodes codes = codes_of(a.grid, output, input);
  double value = reciprocal * a.weight[at];
  PointShare share = {a.gradient[at], nearest_index(codes, value)};
  if (value < codes[0] - 0.5 || value > codes[codes.last()] + 0.5) {
    a.gradient[at] = 0;
  }
  return share;
}

/* Points of consecutive inputs: a lane adds up one after the other, in their order. */
IVIT_DEVICE void run_gradient(
    const GridGradientArguments &a, int64_t output, float reciprocal, int lane) {
  int points = a.grid.groups;
  for (int point = lane; point < points; point += WARP) {
    double sum = 0;
    int end = (point + 1) * a.run < a.inputs ? (point + 1) * a.run : a.inputs;
    for (int k = point * a.run; k < end; k++) {
      PointShare share = share_of(a, output, k, reciprocal);
      sum += share.gradient * ((share.index - (1 << (a.grid.bits - 1))) * a.slope);
    }
    if (present(a.points)) {
      a.points[output * points + point] = (float)sum;
    }
  }
}

/* Points of a table: a lane has every 32nd entry, and sees all weights in their order. */
IVIT_DEVICE void table_gradient(
    const GridGradientArguments &a, int64_t output, float reciprocal, int lane,
    Shared<PointShare> shares) {
  double sums[MOST_ENTRIES / WARP] = {};
  for (int first = 0; first < a.inputs; first += WARP) {
    PointShare own = {0, -1};
    if (first + lane < a.inputs) {
      own = share_of(a, output, first + lane, reciprocal);
    }
    warp_barrier();
    shares[lane] = own;
    warp_barrier();
    for (int i = 0; i < WARP; i++) {
      PointShare share = shares[i];
#pragma unroll
      for (int n = 0; n < MOST_ENTRIES / WARP; n++) {
        if (share.index == n * WARP + lane) {
          sums[n] += share.gradient * a.slope;
        }
      }
    }
  }
  if (!present(a.points)) {
    return;
  }
#pragma unroll
  for (int n = 0; n < MOST_ENTRIES / WARP; n++) {
    int entry = n * WARP + lane;
    if (entry < 1 << a.grid.bits) {
      int64_t from = output << a.grid.bits;
      a.points[from + a.order[from + entry]] = (float)sums[n];
    }
  }
}

}  // namespace ivit

/* A warp an output channel. Shared memory: a share a thread. */
IVIT_KERNEL(256, 4) grid_gradient(IVIT_ARGUMENTS(ivit::GridGradientArguments) a) {
  int lane = (int)threadIdx.x % ivit::WARP;
  int64_t c = ivit::thread_number() / ivit::WARP;
  if (c >= a.outputs) {
    return;
  }
  float reciprocal = 1.0f / a.scales[c];
  if (ivit::present(a.grid.table)) {
    auto shares = ivit::as<ivit::PointShare>(ivit::shared_memory())
        + ((int)threadIdx.x - lane);
    ivit::table_gradient(a, c, reciprocal, lane, shares);
  } else {
    ivit::run_gradient(a, c, reciprocal, lane);
  }
}
