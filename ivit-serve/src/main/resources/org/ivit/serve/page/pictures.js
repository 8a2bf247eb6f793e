/**
 * Where pictures come from: files that are chosen, dropped or pasted, and the camera.
 *
 * @param {function(string): Element} byId
 * @param {{taken: function(Blob), failed: function(string)}} listener hears of each picture, and of what was none
 */
export function listenForPictures(byId, listener) {
  const take = (files) => {
    const [file] = files;
    if (!file) return;
    if (file.type && !file.type.startsWith('image/')) {
      listener.failed(`${file.name} is not a picture.`);
    } else {
      listener.taken(file);
    }
  };
  for (const input of [byId('file'), byId('photo')]) {
    input.addEventListener('change', () => {
      take(input.files);
      // So that the same file can be chosen again.
      input.value = '';
    });
  }
  byId('choose').addEventListener('click', () => byId('file').click());
  document.addEventListener('paste', (event) => take(event.clipboardData.files));
  listenForDrops(byId('frame'), take);
  listenToCamera(byId, listener);
}

/** The whole page takes drops, so that a missed frame does not leave the page. */
function listenForDrops(frame, take) {
  document.addEventListener('dragover', (event) => {
    event.preventDefault();
    frame.classList.add('over');
  });
  document.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) frame.classList.remove('over');
  });
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    frame.classList.remove('over');
    take(event.dataTransfer.files);
  });
}

function listenToCamera(byId, listener) {
  const video = byId('video');
  const show = (open) => {
    for (const id of ['video', 'shoot', 'close']) byId(id).hidden = !open;
    for (const id of ['picture', 'choose', 'camera']) byId(id).hidden = open;
    if (!byId('picture').src) byId('picture').hidden = true;
    byId('turn').hidden = open || byId('picture').hidden;
    byId('frame').classList.toggle('filled', open || !byId('picture').hidden);
  };
  const close = () => {
    for (const track of video.srcObject?.getTracks() ?? []) track.stop();
    video.srcObject = null;
    show(false);
    byId('camera').focus();
  };
  byId('camera').addEventListener('click', async () => {
    // Browsers give a live camera to HTTPS and to this machine only; a phone then opens its own camera.
    if (!navigator.mediaDevices) {
      byId('photo').click();
      return;
    }
    try {
      video.srcObject = await navigator.mediaDevices.getUserMedia({
        video: { facingMode: 'environment', width: { ideal: 1280 } },
      });
      await video.play();
      show(true);
      byId('shoot').focus();
    } catch (failure) {
      listener.failed(failure.name === 'NotFoundError' ? 'There is no camera.' : 'The camera cannot be used: the browser does not allow it.');
    }
  });
  byId('shoot').addEventListener('click', async () => {
    const picture = await drawn(video, video.videoWidth, video.videoHeight, 0, 'image/png');
    close();
    listener.taken(new File([picture], 'camera.png', { type: picture.type }));
  });
  byId('close').addEventListener('click', close);
}

/**
 * The picture of an element, turned.
 *
 * @param {HTMLImageElement|HTMLVideoElement} source
 * @param {number} width of it, in pixels
 * @param {number} height of it, in pixels
 * @param {number} quarters turns by 90° to the right
 * @param {string} type of the file
 * @returns {Promise<Blob>}
 */
export function drawn(source, width, height, quarters, type) {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = quarters % 2 === 0 ? [width, height] : [height, width];
  const context = canvas.getContext('2d');
  context.translate(canvas.width / 2, canvas.height / 2);
  context.rotate((quarters * Math.PI) / 2);
  context.drawImage(source, -width / 2, -height / 2, width, height);
  return new Promise((resolve) => canvas.toBlob(resolve, type, 0.95));
}
