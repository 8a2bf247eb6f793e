package org.ivit.djl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.engine.Engine;
import java.nio.file.Files;
import java.nio.file.Path;
import org.ivit.core.InputException;
import org.junit.jupiter.api.Test;

class IvitEngineTest {
  @Test
  void djlFindsItByName() {
    Engine engine = Engine.getEngine("IVIT");
    assertThat(engine).isInstanceOf(IvitEngine.class);
    assertThat(engine.defaultDevice()).isEqualTo(Device.cpu());
    assertThat(engine.getAlternativeEngine()).isNull();
  }

  @Test
  void itsVersionIsTheProjects() throws Exception {
    assertThat(Files.readString(Path.of("pom.xml")))
        .contains("<version>" + Engine.getEngine("IVIT").getVersion() + "</version>");
  }

  @Test
  void refusesDevicesThatItDoesNotKnow() {
    assertThatThrownBy(() -> Model.newInstance("small", Device.of("tpu", 0), "IVIT"))
        .isInstanceOf(InputException.class)
        .hasMessage("device: found tpu(0), expected cpu or gpu");
  }
}
