/*
 * Dequantized logits, cross entropy with soft targets and distillation, and its gradient: CrossEntropy
 * of Java. A warp a picture.
 */
#pragma once

#include "reals.cuh"

namespace ivit {

struct LossArguments {
  Global<const int32_t> logits; /* codes, or bits of reals, [pictures][classes] */
  Global<const float> targets;  /* [pictures][classes], or [pictures][2 * classes] with a teacher's */
  Global<float> gradient;       /* [pictures][classes] */
  Global<double> losses;        /* [pictures] */
  double logit_scale; /* 0 where logits are reals */
  double weight; /* of the distillation */
  double temperature;
  int32_t pictures;
  int32_t classes;
  int32_t target_stride;
  int32_t unused;
};

IVIT_DEVICE double largest_of_warp(double v) {
  for (int lanes = WARP / 2; lanes > 0; lanes /= 2) {
    double other = shuffle_xor(v, lanes);
    v = other > v ? other : v;
  }
  return v;
}

/* A picture's logits, rounded to float32 as those that Deeplearning4j sees; reals where scale is 0. */
struct LogitRow {
  Global<const int32_t> codes;
  double scale;
  int classes;

  IVIT_DEVICE double at(int c) const {
    return scale == 0 ? real_of((uint32_t)codes[c]) : (float)(codes[c] * scale);
  }

  /* Largest logit, and the logarithm of the sum of exponentials of (logit - largest) / t. */
  IVIT_DEVICE double log_sum(double temperature, int lane, double &largest) const {
    largest = -INFINITE;
    for (int c = lane; c < classes; c += WARP) {
      largest = at(c) > largest ? at(c) : largest;
    }
    largest = largest_of_warp(largest);
    double sum = 0;
    for (int c = lane; c < classes; c += WARP) {
      sum += exp_of((at(c) - largest) / temperature);
    }
    return log_of(sum_of_warp(sum));
  }
};

IVIT_DEVICE double sum_of_row(Global<const float> row, int classes, int lane) {
  double sum = 0;
  for (int c = lane; c < classes; c += WARP) {
    sum += row[c];
  }
  return sum_of_warp(sum);
}

}  // namespace ivit

IVIT_KERNEL(256, 4) cross_entropy(IVIT_ARGUMENTS(ivit::LossArguments) a) {
  int lane = (int)threadIdx.x % ivit::WARP;
  int64_t picture = ivit::thread_number() / ivit::WARP;
  if (picture >= a.pictures) {
    return;
  }
  ivit::LogitRow row{a.logits + picture * a.classes, a.logit_scale, a.classes};
  auto targets = a.targets + picture * a.target_stride;
  auto gradient = a.gradient + picture * a.classes;
  double loss = 0;
  double largest = 0;
  double log_sum = a.weight < 1 ? row.log_sum(1, lane, largest) : 0;
  double mass = a.weight < 1 ? ivit::sum_of_row(targets, a.classes, lane) : 0;
  for (int c = lane; c < a.classes; c += ivit::WARP) {
    double g = 0;
    if (a.weight < 1) {
      double log_p = row.at(c) - largest - log_sum;
      double target = targets[c];
      loss -= target == 0 ? 0 : (1 - a.weight) * target * log_p;
      g = (1 - a.weight) * (mass * ivit::exp_of(log_p) - target);
    }
    gradient[c] = (float)g;
  }
  if (a.weight > 0) {
    auto teacher = targets + a.classes;
    double t = a.temperature;
    log_sum = row.log_sum(t, lane, largest);
    mass = ivit::sum_of_row(teacher, a.classes, lane);
    for (int c = lane; c < a.classes; c += ivit::WARP) {
      double log_p = (row.at(c) - largest) / t - log_sum;
      double p = teacher[c];
      loss += p > 0 ? a.weight * t * t * p * (ivit::log_of(p) - log_p) : 0;
      gradient[c] = (float)(gradient[c] + a.weight * t * (mass * ivit::exp_of(log_p) - p));
    }
  }
  loss = ivit::sum_of_warp(loss);
  if (lane == 0) {
    a.losses[picture] = loss;
  }
}
