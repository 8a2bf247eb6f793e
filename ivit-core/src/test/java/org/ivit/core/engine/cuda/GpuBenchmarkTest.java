package org.ivit.core.engine.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.EmulatedDevice;
import org.ivit.core.family.Vit;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.testing.ObservedModel;
import org.junit.jupiter.api.Test;

/** What times are taken of, on an emulated GPU. */
class GpuBenchmarkTest {
  private static final int COPIES = 7;

  private final EmulatedDevice emulated = new EmulatedDevice(1000, CudaEngineTest.SHARED_BYTES);
  private final List<Integer> recorded = new ArrayList<>();

  private Device device(EmulatedDevice emulated) {
    return (Device)
        Proxy.newProxyInstance(
            Device.class.getClassLoader(),
            new Class<?>[] {Device.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("record")) {
                recorded.add(((List<?>) arguments[0]).size());
              }
              try {
                return method.invoke(emulated, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  /** Products of one grid differ by K; of each kind many copies are one graph. */
  @Test
  void timesEachKindOfLaunchInAGraphOfCopies() {
    ObjectNode row = JsonNodeFactory.instance.objectNode();
    GpuBenchmark.Effort effort = new GpuBenchmark.Effort(1, 0, 1, COPIES);
    Architecture vit = new Vit("vit", 12, 4, 18, 2, 2, 90, 5, 1e-6).architecture();
    IntegerGraph graph = ObservedModel.graph(vit, Scheme.EXACT, new Random(1));
    try (GpuBenchmark run = new GpuBenchmark(graph, device(emulated), 1, effort)) {
      run.measure(row);
    }
    List<String> kinds = row.get("kernels").findValuesAsText("kernel");
    assertThat(kinds).doesNotHaveDuplicates();
    List<String> grids =
        kinds.stream()
            .filter(kind -> kind.startsWith("linear_stream_"))
            .map(kind -> kind.replaceFirst(" K \\d+ N \\d+$", ""))
            .toList();
    assertThat(grids.stream().distinct().count()).isLessThan(grids.size());
    assertThat(row.get("kernels").findValues("launches").stream().mapToInt(n -> n.intValue()).sum())
        .isEqualTo(row.get("launches").intValue());
    assertThat(recorded.get(0)).isEqualTo(row.get("launches").intValue());
    assertThat(recorded.get(1)).isEqualTo(row.get("launches").intValue());
    assertThat(recorded.subList(2, recorded.size()).stream().collect(Collectors.toSet()))
        .containsExactly(COPIES);
    assertThat(emulated.live()).isZero();
  }

  /** Clusters have one grid, whatever the product; of one depth its columns tell it. */
  @Test
  void timesProductsOfClustersByTheirColumns() {
    ObjectNode row = JsonNodeFactory.instance.objectNode();
    GpuBenchmark.Effort effort = new GpuBenchmark.Effort(1, 0, 1, 1);
    Architecture vit = new Vit("vit", 12, 4, 18, 1, 2, 90, 5, 1e-6).architecture();
    IntegerGraph graph = ObservedModel.graph(vit, Scheme.EXACT, new Random(1));
    EmulatedDevice clusters = new EmulatedDevice(1, CudaEngineTest.SHARED_BYTES, false, true);
    try (GpuBenchmark run = new GpuBenchmark(graph, device(clusters), 1, effort)) {
      run.measure(row);
    }
    List<String> kinds = row.get("kernels").findValuesAsText("kernel");
    assertThat(kinds.stream().filter(kind -> kind.startsWith("linear_codes_cluster 2x1x1 K 64 ")))
        .hasSize(2);
    assertThat(clusters.live()).isZero();
  }
}
