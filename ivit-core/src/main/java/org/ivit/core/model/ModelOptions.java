package org.ivit.core.model;

import java.util.Objects;
import org.ivit.core.InputException;
import org.ivit.core.engine.choice.EngineConfig;
import org.ivit.core.image.ImageDecoder;

/**
 * How a model is run and what pictures it takes.
 *
 * @param engine which engine, on what, with how many threads
 * @param batchSize how many pictures are decoded and run at once, at least 1
 * @param mostPixels width times height that an encoded picture has at most; its header is looked at
 *     before anything is decoded
 */
public record ModelOptions(EngineConfig engine, int batchSize, long mostPixels) {
  private static final int BATCH_SIZE = 32;

  /**
   * @throws IllegalArgumentException if a number is out of its range
   */
  public ModelOptions {
    Objects.requireNonNull(engine, "engine");
    if (batchSize < 1) {
      throw new IllegalArgumentException("batch size: " + batchSize);
    }
    if (mostPixels < 1 || mostPixels > ImageDecoder.MAX_PIXELS) {
      throw new IllegalArgumentException(
          "pixels: " + mostPixels + ", expected 1 to " + ImageDecoder.MAX_PIXELS);
    }
  }

  /**
   * The engine that {@link EngineConfig#standard} says, 32 pictures at once, pictures up to
   * Pillow's limit of {@link ImageDecoder#MAX_PIXELS}.
   *
   * @throws InputException if a system property of the engine is no number
   */
  public static ModelOptions standard() {
    return builder().build();
  }

  /**
   * Starts from {@link #standard}.
   *
   * @throws InputException if a system property of the engine is no number
   */
  public static Builder builder() {
    return new Builder();
  }

  /** Collects options; for one thread. */
  public static final class Builder {
    private EngineConfig config = EngineConfig.standard();
    private int batchSize = BATCH_SIZE;
    private long mostPixels = ImageDecoder.MAX_PIXELS;

    private Builder() {}

    /**
     * Takes an engine by name.
     *
     * @param name {@code cpu}, {@code cuda} or {@code reference}
     */
    public Builder engine(String name) {
      config = config.withEngine(Objects.requireNonNull(name, "name"));
      return this;
    }

    /**
     * Takes kernels of the engine {@code cpu} by name.
     *
     * @param name such as {@code vnni} or {@code java}
     */
    public Builder kernels(String name) {
      config = config.withKernels(Objects.requireNonNull(name, "name"));
      return this;
    }

    /**
     * Sets how many threads work on a call.
     *
     * @param count 0 for one a processor
     * @throws IllegalArgumentException if there can be no pool of so many
     */
    public Builder threads(int count) {
      config = config.withThreads(count);
      return this;
    }

    /**
     * Takes a GPU for the engine {@code cuda}.
     *
     * @param index from 0
     */
    public Builder gpu(int index) {
      config = config.withGpu(config.gpu().withNumber(index));
      return this;
    }

    /** Sets all that the engine has, in place of what was set of it before. */
    public Builder engine(EngineConfig engine) {
      config = engine;
      return this;
    }

    /**
     * Sets how many pictures of a list are decoded and run at once.
     *
     * @param pictures at least 1
     */
    public Builder batchSize(int pictures) {
      batchSize = pictures;
      return this;
    }

    /**
     * Sets how large an encoded picture may be.
     *
     * @param pixels width times height, 1 to {@link ImageDecoder#MAX_PIXELS}
     */
    public Builder mostPixels(long pixels) {
      mostPixels = pixels;
      return this;
    }

    /**
     * The options.
     *
     * @throws IllegalArgumentException if a number is out of its range
     */
    public ModelOptions build() {
      return new ModelOptions(config, batchSize, mostPixels);
    }
  }
}
