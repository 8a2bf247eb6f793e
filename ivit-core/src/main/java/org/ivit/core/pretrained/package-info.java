/** Models as others publish them: weights together with what else their files say. */
package org.ivit.core.pretrained;
