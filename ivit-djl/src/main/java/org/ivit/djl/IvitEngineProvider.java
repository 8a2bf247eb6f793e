package org.ivit.djl;

import ai.djl.engine.Engine;
import ai.djl.engine.EngineProvider;

/** How DJL finds the engine, by {@link java.util.ServiceLoader}. */
public final class IvitEngineProvider implements EngineProvider {
  private static final class Holder {
    static final Engine ENGINE = new IvitEngine();
  }

  @Override
  public String getEngineName() {
    return IvitEngine.NAME;
  }

  @Override
  public int getEngineRank() {
    return IvitEngine.RANK;
  }

  @Override
  public Engine getEngine() {
    return Holder.ENGINE;
  }
}
