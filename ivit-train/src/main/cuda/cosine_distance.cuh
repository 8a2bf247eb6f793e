/*
 * Dequantized features, their distance 1 - cosine to those of a teacher, and its gradient: CosineDistance
 * of Java. A warp a picture.
 */
#pragma once

#include "cross_entropy.cuh"

IVIT_KERNEL(256, 4) cosine_distance(IVIT_ARGUMENTS(ivit::LossArguments) a) {
  int lane = (int)threadIdx.x % ivit::WARP;
  int64_t picture = ivit::thread_number() / ivit::WARP;
  if (picture >= a.pictures) {
    return;
  }
  ivit::LogitRow row{a.logits + picture * a.classes, a.logit_scale, a.classes};
  auto targets = a.targets + picture * a.target_stride;
  auto gradient = a.gradient + picture * a.classes;
  double product = 0;
  double own = 0;
  double teacher = 0;
  for (int c = lane; c < a.classes; c += ivit::WARP) {
    double v = row.at(c);
    double t = targets[c];
    product += v * t;
    own += v * v;
    teacher += t * t;
  }
  product = ivit::sum_of_warp(product);
  own = ivit::sum_of_warp(own);
  double norms = ivit::root_of(own) * ivit::root_of(ivit::sum_of_warp(teacher));
  double cosine = norms == 0 ? 0 : product / norms;
  cosine = cosine < -1 ? -1 : cosine > 1 ? 1 : cosine;
  for (int c = lane; c < a.classes; c += ivit::WARP) {
    gradient[c] = norms == 0 ? 0 : (float)(cosine * row.at(c) / own - targets[c] / norms);
  }
  if (lane == 0) {
    a.losses[picture] = 1 - cosine;
  }
}
