package org.ivit.core.cuda;

import java.util.List;

/** Launches as a CUDA graph. */
final class GraphReplay implements Device.Replay {
  private final RecordedGraph graph;

  GraphReplay(DriverDevice device, List<Launch> launches) {
    graph =
        new RecordedGraph(device, launches, stream -> device.launchInOrder(launches, stream, true));
  }

  @Override
  public void repeat(int times) {
    graph.run(times);
  }

  @Override
  public void close() {
    graph.close();
  }
}
