/** Which vision transformers there are: their sizes, timm names, parameters and how they parse. */
package org.ivit.core.architecture;
