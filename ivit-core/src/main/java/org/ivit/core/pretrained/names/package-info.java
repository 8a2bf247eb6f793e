/** What the sources of weights call their tensors, brought to the names and layouts of timm. */
package org.ivit.core.pretrained.names;
