/** Features of pictures: what they are, how alike two are, and what follows from that. */
package org.ivit.export.features;
