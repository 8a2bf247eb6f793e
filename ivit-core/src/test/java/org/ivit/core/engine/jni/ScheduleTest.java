package org.ivit.core.engine.jni;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.family.Architectures;
import org.ivit.core.family.Vit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ScheduleTest {
  private static final String VIT =
      "{'kind':'vit','image':[32,64],'patch':16,'dim':48,'depth':2,'heads':3,'hidden':100,";

  private static List<StepWork> steps(String nameOrOptions) {
    String text = nameOrOptions.startsWith("'") ? VIT + nameOrOptions + "}" : nameOrOptions;
    return StepWork.of(Architectures.parse(text.replace('\'', '"')));
  }

  @Test
  void worksOutWhatFollowsTheBlocks() {
    assertThat(rows("'classes':0,'pre_norm':true")).containsExactly(9, 9, 9, 1, 1, 1);
    assertThat(rows("'classes':0,'pool':'avg'")).containsExactly(9, 9, 9, 8, 1);
    assertThat(rows("'classes':5,'pool':'avg','fc_norm':true")).containsExactly(9, 9, 9, 1, 1);
    assertThat(rows("'classes':0,'pool':'map'")).containsExactly(9, 9, 9, 1, 1);
    assertThat(rows("'classes':5,'relative_positions':true")).containsExactly(9, 9, 1, 1);
    StepWork last = steps("'classes':0,'pool':'map'").get(2);
    // Values and scores of the pooling: 48 and 3 columns take 64.
    assertThat(last.whole().products())
        .isEqualTo(3 * 3 * 9 * 16 + 48 * 64 + 48 * 128 + 100 * 64 + 48 * 64);
  }

  @Test
  void worksOutWhatAGatedMlpDoes() {
    StepWork gated = steps("'classes':0,'rotary':'dinov3','mlp':'swiglu_norm'").get(1);
    StepWork plain = steps("'classes':0,'rotary':'dinov3'").get(1);
    PhaseWork norm = phase(gated, Phase.EXPAND);
    assertThat(norm.products()).isEqualTo(2 * phase(plain, Phase.EXPAND).products());
    assertThat(norm.weights()).isEqualTo(2 * phase(plain, Phase.EXPAND).weights());
    assertThat(norm.outputs()).isEqualTo(3 * PhaseWork.PANEL);
    assertThat(phase(gated, Phase.CONTRACT).normed()).isEqualTo(100);
    assertThat(phase(plain, Phase.BEGIN).outputs()).isEqualTo(2 * PhaseWork.PANEL);
    assertThat(phase(plain, Phase.BEGIN).products()).isEqualTo(48 * PhaseWork.PANEL);
  }

  private static PhaseWork phase(StepWork step, Phase phase) {
    List<PhaseWork> apart = step.ways().get(2);
    return apart.stream().filter(w -> w.phase() == phase).findFirst().orElseThrow();
  }

  private static List<Integer> rows(String options) {
    return steps(options).stream().map(s -> s.whole().rows()).toList();
  }

  @Test
  void worksOutWhatAVitDoes() {
    Architecture vit = new Vit("v", 32, 16, 48, 2, 3, 100, 40, 1e-6).architecture();
    List<StepWork> steps = StepWork.of(vit);
    assertThat(steps.stream().map(s -> s.whole().rows())).containsExactly(5, 5, 1, 1);
    assertThat(steps.stream().map(s -> s.ways().size())).containsExactly(1, 3, 3, 1);
    long scores = 3 * 3 * 5 * 16;
    // Columns fill panels of 32: 48 take 64, 100 take 128, 144 take 160, 40 take 64.
    assertThat(steps.get(0).whole().products()).isEqualTo(768 * 64 + 48 * 160);
    assertThat(steps.get(1).whole().products())
        .isEqualTo(scores + 48 * 64 + 48 * 128 + 100 * 64 + 48 * 160);
    assertThat(steps.get(2).whole().products()).isEqualTo(scores + 48 * 64 + 48 * 128 + 100 * 64);
    assertThat(steps.get(3).whole()).isEqualTo(PhaseWork.panels(Phase.WHOLE, 1, 48, 40, 48));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "vit_tiny_patch16_224",
        "deit_base_distilled_patch16_224",
        "swin_tiny_patch4_window7_224",
        "'classes':0,'pre_norm':true",
        "'classes':0,'pool':'avg','registers':4",
        "'classes':5,'pool':'avg','fc_norm':true",
        "'classes':0,'pool':'map'",
        "'classes':0,'rotary':'cat','mlp':'swiglu'",
        "'classes':0,'rotary':'dinov3','mlp':'swiglu_norm'"
      })
  void everyWayOfAStepMultipliesAsMuch(String name) {
    for (StepWork step : steps(name)) {
      for (List<PhaseWork> way : step.ways()) {
        assertThat(way.stream().mapToLong(w -> w.units() * w.products()).sum())
            .isEqualTo(step.whole().products() * step.whole().units());
        assertThat(way.stream().mapToLong(w -> w.units() * w.weights()).sum())
            .isEqualTo(step.whole().weights() * step.whole().units());
      }
    }
  }

  @Test
  void partsCoverEveryCellOnce() {
    PhaseWork work = PhaseWork.panels(Phase.EXPAND, 13, 5, 7 * PhaseWork.PANEL, 5);
    for (int rows = 1; rows <= 13; rows++) {
      for (int units = 1; units <= 7; units++) {
        Split split = new Split(3, work, rows, units);
        int[] cells = new int[13 * 7];
        int[] most = new int[2];
        for (int part = 0; part < split.parts(); part++) {
          split.part(
              part,
              (which, from, to, first, end) -> {
                assertThat(which.step()).isEqualTo(3);
                most[0] = Math.max(most[0], to - from);
                most[1] = Math.max(most[1], end - first);
                for (int r = from; r < to; r++) {
                  for (int u = first; u < end; u++) {
                    cells[7 * r + u]++;
                  }
                }
              });
        }
        assertThat(Arrays.stream(cells)).containsOnly(1);
        assertThat(most).containsExactly(split.mostRows(), split.mostUnits());
      }
    }
  }

  @Test
  void theLeadingTokenAndTheHeadGoToSeveralThreads() {
    for (String name : List.of("vit_tiny_patch16_224", "deit_base_patch16_224")) {
      List<StepWork> steps = steps(name);
      for (int threads : new int[] {2, 4, 8, 16}) {
        List<Split> splits = Schedule.of(steps, 1, threads, Costs.VNNI).splits();
        int last = steps.size() - 2;
        List<Split> block = splits.stream().filter(s -> s.step() == last).toList();
        assertThat(block.stream().mapToInt(Split::parts).max().orElse(0)).isGreaterThan(1);
        assertThat(splits.get(splits.size() - 1).unitParts()).isGreaterThan(1);
      }
    }
  }

  @Test
  void threadsThatReadTooManyWeightsTakeColumns() {
    List<Split> splits = Schedule.of(steps("deit_base_patch16_224"), 1, 16, Costs.VNNI).splits();
    assertThat(splits.stream().map(s -> s.work().phase())).contains(Phase.EXPAND, Phase.CONTRACT);
    // Eight pictures are work enough for sixteen threads by rows.
    assertThat(phases(Schedule.of(steps("vit_tiny_patch16_224"), 8, 16, Costs.VNNI)))
        .startsWith(Phase.WHOLE, Phase.WHOLE);
  }

  private static List<Phase> phases(Schedule schedule) {
    List<Phase> phases = new ArrayList<>();
    schedule.splits().forEach(s -> phases.add(s.work().phase()));
    return phases;
  }

  @Test
  void theSameWorkIsSplitAlike() {
    List<Split> splits = Schedule.of(steps("vit_tiny_patch16_224"), 3, 4, Costs.VNNI).splits();
    assertThat(splits)
        .isEqualTo(Schedule.of(steps("vit_tiny_patch16_224"), 3, 4, Costs.VNNI).splits());
    assertThat(splits.stream().mapToInt(Split::step)).isSorted();
  }
}
