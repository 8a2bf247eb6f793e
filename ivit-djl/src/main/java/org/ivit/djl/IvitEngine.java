package org.ivit.djl;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;
import org.ivit.core.InputException;
import org.ivit.djl.ndarray.IvitNDManager;

/**
 * The engine that runs integer checkpoints. Its device is the processor; a GPU is taken where a
 * model asks for it. Arrays of its own do what pictures need and nothing else.
 */
public final class IvitEngine extends Engine {
  /** What {@link Engine#getEngine} and {@code optEngine} call it. */
  public static final String NAME = IvitNDManager.ENGINE_NAME;

  /** Behind engines that run any network: DJL takes the lowest where nobody names one. */
  static final int RANK = 20;

  IvitEngine() {}

  /** Returns null: what an array cannot do does not depend on which engines lie beside it. */
  @Override
  public Engine getAlternativeEngine() {
    return null;
  }

  @Override
  public String getEngineName() {
    return NAME;
  }

  @Override
  public int getRank() {
    return RANK;
  }

  @Override
  public String getVersion() {
    try (InputStream in = IvitEngine.class.getResourceAsStream("version.properties")) {
      Properties properties = new Properties();
      properties.load(in);
      return properties.getProperty("version");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Returns false, for CUDA too: DJL would take a GPU that nobody asked for. */
  @Override
  public boolean hasCapability(String capability) {
    return false;
  }

  /**
   * {@inheritDoc}
   *
   * @param device the processor, or the GPU that the model will run on; null for the processor
   * @throws InputException for another device
   */
  @Override
  public Model newModel(String name, Device device) {
    if (device != null && !device.isGpu() && !device.equals(Device.cpu())) {
      throw new InputException("device: found %s, expected cpu or gpu".formatted(device));
    }
    return new IvitModel(name, newBaseManager(device));
  }

  @Override
  public NDManager newBaseManager() {
    return newBaseManager(null);
  }

  @Override
  public NDManager newBaseManager(Device device) {
    return IvitNDManager.system().newSubManager(device);
  }
}
