package org.ivit.train.device.memory;

import java.util.List;
import org.ivit.core.cuda.CompiledKernels;
import org.ivit.core.cuda.KernelImages;

class TrainingKernelsTest extends CompiledKernels {
  TrainingKernelsTest() {
    super(
        TrainingKernels.IMAGES,
        "training",
        List.of("ivit-core/src/main/cuda", "ivit-train/src/main/cuda"),
        "cuda-training-kernels.md",
        new KernelImages(KernelImages.class, "/cuda/"));
  }
}
