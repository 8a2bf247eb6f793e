/* A teacher's probabilities behind the targets of each picture; a warp a picture. */
#pragma once

#include "cross_entropy.cuh"

namespace ivit {

struct TeacherArguments {
  Global<const int32_t> logits; /* reals, [pictures][classes] */
  Global<const float> targets;  /* [pictures][classes] */
  Global<float> to;             /* [pictures][2 * classes] */
  double temperature;
  int32_t pictures;
  int32_t classes;
};

}  // namespace ivit

IVIT_KERNEL(256, 4) teacher_targets(IVIT_ARGUMENTS(ivit::TeacherArguments) a) {
  int lane = (int)threadIdx.x % ivit::WARP;
  int64_t picture = ivit::thread_number() / ivit::WARP;
  if (picture >= a.pictures) {
    return;
  }
  ivit::LogitRow row{a.logits + picture * a.classes, 0, a.classes};
  auto to = a.to + picture * 2 * a.classes;
  double largest = 0;
  double log_sum = row.log_sum(a.temperature, lane, largest);
  for (int c = lane; c < a.classes; c += ivit::WARP) {
    to[c] = a.targets[picture * a.classes + c];
    to[a.classes + c] = (float)ivit::exp_of((row.at(c) - largest) / a.temperature - log_sum);
  }
}
