package org.ivit.core.family;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.ivit.core.InputException;
import org.ivit.core.Size;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.MlpForm;
import org.ivit.core.architecture.Rotary;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What descriptions of ViTs say beside sizes. */
class VitOptionsTest {
  private static Architecture parse(String options) {
    return Architectures.parse(
        ("{'kind':'vit','name':'x','image':[16,24],'patch':8,'dim':16,'depth':1,"
                + "'classes':0,"
                + options
                + "}")
            .replace('\'', '"'));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "'pool':'token','class_token':false | pool is token without a class token",
        "'fc_norm':true | fc_norm with pool token, expected pool avg",
        "'rotary':'axial' | rotary is \"axial\", expected one of dinov3, cat",
        "'rotary_grid':[3,3] | rotary_grid without rotary",
        "'rotary':'dinov3','rotary_grid':[3,3] | reference with kind dinov3, expected kind cat",
        "'rotary':'cat','relative_positions':true | rotary and relative_positions, expected one",
        "'rotary':'cat','heads':8 | heads of 2 channels with rotary positions, expected a multiple",
        "'mlp':'glu' | mlp is \"glu\", expected one of plain, swiglu, swiglu_norm",
        "'mlp':'swiglu','activation':'quick_gelu' | activation quick_gelu with mlp swiglu",
        "'mlp':'swiglu','pool':'map' | mlp swiglu with an attention pool, expected plain",
      })
  void refusals(String options, String message) {
    String heads = options.contains("'heads'") ? "" : "'heads':2,";
    assertThatThrownBy(() -> parse(heads + options))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(message);
  }

  @Test
  void rotaryPositionsFollowThePicture() {
    Block block =
        parse("'heads':2,'rotary':'cat','rotary_grid':[3,4],'registers':2").blocks().get(0);
    assertThat(block.rotary())
        .isEqualTo(new Rotary(Rotary.Kind.CAT, new Size(2, 3), 3, new Size(3, 4)));
    assertThat(block.attended().name()).isEqualTo("blocks.0.attn.rope");
    assertThat(block.mlp()).isNull();
  }

  @Test
  void gatedMlpsHaveTwoProducts() {
    Block block = parse("'heads':2,'mlp':'swiglu_norm'").blocks().get(0);
    assertThat(block.mlp()).isEqualTo(MlpForm.SWIGLU_NORM);
    assertThat(block.parameters())
        .extracting(parameter -> parameter.name())
        .contains("blocks.0.mlp.fc1_g.weight", "blocks.0.mlp.fc1_x.bias", "blocks.0.mlp.norm.bias")
        .doesNotContain("blocks.0.mlp.fc1.weight");
    assertThat(block.fc2Linear().input()).isEqualTo(block.mlpNorm());
    assertThat(parse("'heads':2,'mlp':'swiglu'").blocks().get(0).fc2Linear().input().name())
        .isEqualTo("blocks.0.mlp.act");
  }
}
