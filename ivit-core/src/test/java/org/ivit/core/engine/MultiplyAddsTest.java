package org.ivit.core.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.ivit.core.family.Swin;
import org.ivit.core.family.Vit;
import org.junit.jupiter.api.Test;

class MultiplyAddsTest {
  @Test
  void theLastBlockOfVitGoesOnWithTheLeadingToken() {
    // 4 patches of 12 numbers, 5 tokens of 6 channels, 3 heads, 2 blocks, 10 hidden, 7 classes
    Vit vit = new Vit("small", 4, 2, 6, 2, 3, 10, 7, 1e-6);
    int projection = 4 * 12 * 6;
    int qkv = 5 * 6 * 18;
    int behind = 6 * 6 + 6 * 10 + 10 * 6;
    MultiplyAdds counted = MultiplyAdds.of(vit.architecture());
    assertThat(counted.layers()).isEqualTo(projection + 2 * qkv + 5 * behind + behind + 6 * 7);
    assertThat(counted.attention()).isEqualTo(2 * 5 * 5 * 6 + 2 * 5 * 6);
  }

  @Test
  void swinAttendsInWindows() {
    // 16 patches of 12 numbers in windows of 4, then 4 tokens of 8 channels
    Swin swin = new Swin("small", 8, 2, 2, 4, List.of(1, 1), List.of(1, 2), 7, 1e-6);
    int first = 16 * (4 * 12 + 4 * 4 + 2 * 4 * 16);
    int merging = 4 * 16 * 8;
    int second = 4 * (8 * 24 + 8 * 8 + 2 * 8 * 32);
    MultiplyAdds counted = MultiplyAdds.of(swin.architecture());
    assertThat(counted.layers()).isEqualTo(16 * 12 * 4 + first + merging + second + 8 * 7);
    assertThat(counted.attention()).isEqualTo(2 * 16 * 4 * 4 + 2 * 4 * 4 * 8);
  }
}
