// What the page knows, and what it remembers on this machine.

export const state = {
  user: "", other: "", query: "", asked: "", suggested: { suggestions: [], whole: true }, pack: null, animated: false, packs: [], people: [], listing: null, right: "read",
  favourites: new Map(), opened: new Map(), reason: "", like: null,
};

/** Each tab remembers for itself; a new one begins with what was remembered last. */
export const memory = {
  get: (name) => { try { return sessionStorage.getItem(`persrv.${name}`) ?? localStorage.getItem(`persrv.${name}`); } catch { return null; } },
  set: (name, value) => {
    try { for (const kept of [sessionStorage, localStorage]) kept.setItem(`persrv.${name}`, value); } catch { /* a private window keeps nothing */ }
  },
};
