package org.ivit.train.gpu;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.ivit.core.engine.choice.EngineConfig;
import org.ivit.train.device.memory.TrainingKernels;
import org.ivit.train.device.product.ProductPrecision;

/**
 * A run on a GPU that may be killed and goes on: {@code ResumableRun CASE PRECISION STATE STEPS}.
 * CASE is a folder of {@link PictureCase}, or {@value #MICRO}. Before each step it says how many
 * were taken and waits for a line; every other step, and at the end, it writes the state.
 */
final class ResumableRun {
  /** The case of the smallest network. */
  static final String MICRO = "micro";

  private static final int EVERY = 2;

  private ResumableRun() {}

  /** The case of that name. */
  static TrainingCase start(String name) throws IOException {
    return name.equals(MICRO) ? MicroCase.all().get(1).start() : PictureCase.of(Path.of(name));
  }

  /** Runs. */
  public static void main(String[] arguments) throws IOException {
    ProductPrecision precision = ProductPrecision.valueOf(arguments[1]);
    Path state = Path.of(arguments[2]);
    int steps = Integer.parseInt(arguments[3]);
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    DeviceWay way = DeviceWay.of(precision);
    try (StepRun run =
        new DeviceRun(
            start(arguments[0]), TrainingKernels.open(EngineConfig.standard().gpu()), way)) {
      if (Files.exists(state)) {
        StepState.read(state).restore(run);
      }
      while (run.taken() < steps) {
        System.out.println(run.taken());
        System.out.flush();
        if (in.readLine() == null) {
          return;
        }
        run.step();
        if (run.taken() % EVERY == 0 || run.taken() == steps) {
          StepState.of(run).write(state);
        }
      }
    }
  }
}
