package org.ivit.train.device.memory;

import java.util.List;
import org.ivit.core.cuda.KernelStructures;

/** What the kernels of training take. */
class TrainingStructuresTest extends KernelStructures {
  TrainingStructuresTest() {
    super(
        DeviceBuffers.class,
        "training.cu",
        "ivit-train/src/test/cuda/registry.cpp",
        List.of(
            "ivit-core/src/test/cuda",
            "ivit-core/src/main/cuda",
            "ivit-train/src/main/cuda",
            "ivit-train/src/test/cuda"));
  }
}
